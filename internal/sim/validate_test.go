package sim

import (
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	good := func() *Scenario {
		return &Scenario{
			Nodes:    10,
			Services: []Service{{Name: "svc-#", Count: 12}},
			Traffic:  []Traffic{{To: "svc-#{gpu=yes}", Rate: 1}, {To: "svc-11"}, {To: "node:#"}},
			Expect:   map[string]string{"delivered": ">= 0.99", "warmup.lies": "== 0"},
		}
	}
	s := good()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.Topology.Kind != "random-regular" || s.Topology.Degree != 8 || s.Traffic[0].Deadline != 30*time.Second ||
		s.Services[0].Handler.Concurrency != 64 || s.Link.Detect != 3*time.Second || s.Seed != 1 {
		t.Errorf("defaults: %+v", s)
	}
	for want, change := range map[string]func(*Scenario){
		"nodes is 0: need 1 to 1000000":        func(s *Scenario) { s.Nodes = 0 },
		"warmup is -1ns":                       func(s *Scenario) { s.Warmup = -1 },
		`topology.kind is "mesh"`:              func(s *Scenario) { s.Topology.Kind = "mesh" },
		"link.loss is 2":                       func(s *Scenario) { s.Link.Loss = 2 },
		"topology.regions, their number, is 0": func(s *Scenario) { s.Topology.Kind = "regions" },
		"topology.nat is \"full\"":             func(s *Scenario) { s.Topology.NAT = map[string]float64{"full": 1} },
		"need a # in it":                       func(s *Scenario) { s.Services[0].Name = "svc" },
		"services[0].providers is 11":          func(s *Scenario) { s.Services[0].Providers = 11 },
		"no service of that name":              func(s *Scenario) { s.Traffic[1].To = "svc-12" },
		"need the address of a service":        func(s *Scenario) { s.Traffic[1].To = "group:g" },
		"traffic[0].rate is -1":                func(s *Scenario) { s.Traffic[0].Rate = -1 },
		`traffic[0].class is "stored"`:         func(s *Scenario) { s.Traffic[0].Class = "stored" },
		"churn.trace[0].node is 10":            func(s *Scenario) { s.Churn.Trace = []Leave{{Node: 10}} },
		`events[0].what is "storm"`:            func(s *Scenario) { s.Events = []Event{{What: "storm"}} },
		"a partition without share and region": func(s *Scenario) { s.Events = []Event{{What: "partition"}} },
		`events[0].region is "eu"`:             func(s *Scenario) { s.Events = []Event{{What: "kill", Share: 1, Region: "eu"}} },
		`attackers[0].kind is "worm"`:          func(s *Scenario) { s.Attackers = []Attacker{{Kind: "worm", Count: 1}} },
		"has neither share nor count":          func(s *Scenario) { s.Attackers = []Attacker{{Kind: "liar"}} },
		`expect names "speed"`:                 func(s *Scenario) { s.Expect["speed"] = ">= 1" },
		"need >=, <= or ==":                    func(s *Scenario) { s.Expect["delivered"] = "> 1" },
	} {
		s := good()
		change(s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestMissed(t *testing.T) {
	got := missed(map[string]string{"delivered": ">= 0.99", "lies": "== 0", "hops.mean": "<= 3", "all.reach": ">= 1"},
		map[string]float64{"delivered": 0.98, "lies": 0, "hops.mean": 3})
	want := []string{
		"all.reach was expected to be >= 1, and nothing in this run says what it is",
		"delivered is 0.98, expected >= 0.99",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("missed:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFigureNames: a run makes no figure that an expectation could not name.
func TestFigureNames(t *testing.T) {
	for name := range runs(t, scenarioOf("ring", "")).Figures {
		if !knownFigure(name) {
			t.Errorf("%q is not among figureNames", name)
		}
	}
}
