package hosts

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// fill gives the defaults of what is played here.
func fill(s sim.Scenario) sim.Scenario {
	set(&s.Seed, 1)
	set(&s.Topology.Degree, 8)
	s.Services = append([]sim.Service(nil), s.Services...)
	for i := range s.Services {
		set(&s.Services[i].Count, 1)
		set(&s.Services[i].Handler.Concurrency, 64)
	}
	s.Traffic = append([]sim.Traffic(nil), s.Traffic...)
	for i := range s.Traffic {
		t := &s.Traffic[i]
		set(&t.From, 1)
		set(&t.Mode, "one")
		set(&t.Class, "confirm")
		set(&t.Draw, "node")
		set(&t.Names, 1)
		set(&t.Size, 128)
		set(&t.Deadline, 30*time.Second)
	}
	if s.Churn.Rate > 0 {
		set(&s.Churn.Downtime, time.Minute)
	}
	return s
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Check names what a scenario asks for that is not played here.
func Check(s *sim.Scenario) error {
	if s.Nodes < 3 || s.Nodes > 20000 {
		return fmt.Errorf("scenario %s: nodes is %d: need 3 to 20000", s.Name, s.Nodes)
	}
	if what := foreign(s); what != "" {
		return fmt.Errorf("scenario %s: %s: real hosts do not play it, the simulator does", s.Name, what)
	}
	return nil
}

func foreign(s *sim.Scenario) string {
	switch t := &s.Topology; {
	case t.Kind != "random-regular":
		return "topology " + t.Kind
	case t.Degree%2 != 0:
		return fmt.Sprintf("degree %d, which is odd", t.Degree)
	case len(t.NAT) > 0, len(t.Regions) > 0, t.Bridges > 0:
		return "NAT, regions or bridges"
	case s.Link.Loss > 0:
		return "loss"
	case len(s.Attackers) > 0:
		return "attackers"
	case len(s.Churn.Trace) > 0:
		return "a trace of churn"
	}
	for _, sv := range s.Services {
		if len(sv.Attributes) > 0 || sv.Region != "" || sv.Slow > 0 || sv.Handler.Fails > 0 {
			return "service " + sv.Name + " with attributes, a region, slow or failing handlers"
		}
	}
	for _, tr := range s.Traffic {
		if tr.Region != "" || tr.Skew != 0 || tr.Names > 1 || tr.Class == "fire" {
			return "traffic " + tr.Name + " with a region, a skew, several names, or class fire"
		}
	}
	for _, e := range s.Events {
		if e.What != "partition" || e.Region != "" {
			return "event " + e.What
		}
	}
	return ""
}
