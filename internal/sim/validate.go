package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds of topology, and of events.
var (
	topologies = []string{"line", "ring", "grid", "random-regular", "small-world", "tree", "star", "regions"}
	happenings = []string{"partition", "cut", "silence", "kill", "crowd", "join"}
)

// Limits of a scenario: what a machine of 24 GiB can hold.
const (
	maxNodes    = 1_000_000
	maxDuration = 24 * time.Hour
)

// checks collects the first thing that is wrong.
type checks struct{ err error }

func (c *checks) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// within checks a number; the sentence names field, value and range.
func within[T int | int64 | float64 | time.Duration](c *checks, field string, v, least, most T) {
	if v < least || v > most || v != v {
		c.fail("%s is %v: need %v to %v", field, v, least, most)
	}
}

func oneOf(c *checks, field, v string, of []string) {
	if !slices.Contains(of, v) {
		c.fail("%s is %q: need one of %s", field, v, strings.Join(of, ", "))
	}
}

// or fills in a default.
func or[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Validate fills the defaults in and checks the scenario. The error names the
// field, its value and its range.
func (s *Scenario) Validate() error {
	c := &checks{}
	or(&s.Seed, 1)
	or(&s.Duration, 30*time.Second)
	within(c, "nodes", s.Nodes, 1, maxNodes)
	within(c, "warmup", s.Warmup, 0, maxDuration)
	within(c, "duration", s.Duration, time.Second, maxDuration)
	if s.Link == (Link{}) {
		s.Link = Link{Latency: 5 * time.Millisecond, Spread: 45 * time.Millisecond, Jitter: 0.2}
	}
	s.Link.validate(c, "link")
	s.Topology.validate(c, s)
	for i := range s.Services {
		s.Services[i].validate(c, fmt.Sprintf("services[%d]", i), s)
	}
	for i := range s.Traffic {
		s.Traffic[i].validate(c, fmt.Sprintf("traffic[%d]", i), s)
	}
	s.Churn.validate(c, s.Nodes)
	for i := range s.Events {
		s.Events[i].validate(c, fmt.Sprintf("events[%d]", i), s)
	}
	for i := range s.Attackers {
		s.Attackers[i].validate(c, fmt.Sprintf("attackers[%d]", i), s)
	}
	for _, name := range sorted(s.Expect) {
		if !knownFigure(name) {
			c.fail("expect names %q: need one of %s", name, strings.Join(figureNames, ", "))
		} else if _, err := ParseBound(s.Expect[name]); err != nil {
			c.fail("expect: %s: %w", name, err)
		}
	}
	return c.err
}

func (l *Link) validate(c *checks, field string) {
	or(&l.MaxQueue, 4<<20)
	or(&l.Detect, 3*time.Second)
	or(&l.Suspect, time.Second)
	within(c, field+".latency", l.Latency, 0, time.Minute)
	within(c, field+".spread", l.Spread, 0, time.Minute)
	within(c, field+".jitter", l.Jitter, 0, 10)
	within(c, field+".loss", l.Loss, 0, 0.9)
	within(c, field+".bandwidth", l.Bandwidth, 0, 1<<40)
	within(c, field+".maxQueue", l.MaxQueue, 1<<10, 1<<30)
	within(c, field+".suspect", l.Suspect, time.Millisecond, time.Hour)
	within(c, field+".detect", l.Detect, l.Suspect, time.Hour)
}

func (t *Topology) validate(c *checks, s *Scenario) {
	or(&t.Kind, "random-regular")
	oneOf(c, "topology.kind", t.Kind, topologies)
	switch t.Kind {
	case "random-regular", "regions":
		or(&t.Degree, 8)
	case "small-world":
		or(&t.Degree, 8)
		or(&t.Rewire, 0.05)
	case "tree":
		or(&t.Fanout, 4)
	}
	within(c, "topology.degree", t.Degree, 0, 64)
	within(c, "topology.rewire", t.Rewire, 0, 1)
	within(c, "topology.fanout", t.Fanout, 0, maxNodes)
	or(&t.Rejoin, time.Second)
	within(c, "topology.rejoin", t.Rejoin, 10*time.Millisecond, time.Hour)
	within(c, "topology.punchFails", t.PunchFails, 0, 1)
	sum := 0.0
	for _, class := range sorted(t.NAT) {
		oneOf(c, "topology.nat", class, []string{"open", "cone", "symmetric"})
		within(c, "topology.nat."+class, t.NAT[class], 0, 1)
		sum += t.NAT[class]
	}
	within(c, "topology.nat, all of it,", sum, 0, 1.000001)
	if t.Kind != "regions" {
		return
	}
	within(c, "topology.regions, their number,", len(t.Regions), 1, 64)
	or(&t.Bridges, 4)
	or(&t.BridgeLinks, 4)
	within(c, "topology.bridges", t.Bridges, 1, max(1, s.Nodes))
	within(c, "topology.bridgeLinks", t.BridgeLinks, 1, 64)
	if t.BridgeLink == (Link{}) {
		t.BridgeLink = Link{Latency: 40 * time.Millisecond, Spread: 40 * time.Millisecond, Jitter: 0.2}
	}
	t.BridgeLink.validate(c, "topology.bridgeLink")
	for i := range t.Regions {
		r, field := &t.Regions[i], fmt.Sprintf("topology.regions[%d]", i)
		if r.Name == "" {
			c.fail("%s.name is empty: need a name", field)
		}
		or(&r.Share, 1/float64(len(t.Regions)))
		within(c, field+".share", r.Share, 0.0001, 1)
		if r.Link == (Link{}) {
			r.Link = s.Link
		}
		r.Link.validate(c, field+".link")
	}
}

// region checks the name of one; empty is any.
func (s *Scenario) region(c *checks, field, name string) {
	if name == "" {
		return
	}
	var names []string
	for i := range s.Topology.Regions {
		names = append(names, s.Topology.Regions[i].Name)
	}
	if s.Topology.Kind != "regions" {
		names = nil
	}
	oneOf(c, field, name, names)
}
