package hosts

import (
	"slices"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

func TestGraph(t *testing.T) {
	g := regular(100, 8, random(1, forGraph))
	links, dials := 0, 0
	for a := range g.links {
		links, dials = links+len(g.links[a]), dials+len(g.dials[a])
		if n := len(g.links[a]); n < 5 || n > 8 {
			t.Errorf("node %d has %d links", a, n)
		}
		for _, b := range g.links[a] {
			if a == b || !slices.Contains(g.links[b], a) {
				t.Errorf("%d is linked to %d, and not the other way round", a, b)
			}
			if slices.Contains(g.dials[a], b) == slices.Contains(g.dials[b], a) {
				t.Errorf("%d and %d: one of the two must dial", a, b)
			}
		}
	}
	if links != 2*dials || links < 760 {
		t.Errorf("%d ends of links and %d dials: want twice as many, about 800", links, dials)
	}
	l := sim.Link{Latency: 5 * time.Millisecond, Spread: 45 * time.Millisecond}
	if a, b := latency(l, 1, 3, 4), latency(l, 1, 4, 3); a != b || a < 5*time.Millisecond || a >= 50*time.Millisecond {
		t.Errorf("latency %v there and %v back", a, b)
	}
}

func TestDistances(t *testing.T) {
	ring := &graph{links: [][]int{{1, 4}, {0, 2}, {1, 3}, {2, 4}, {3, 0}}}
	if d := ring.distances(0, func(int) bool { return true }); !slices.Equal(d, []int{0, 1, 2, 2, 1}) {
		t.Errorf("distances %v", d)
	}
	if d := ring.distances(0, func(i int) bool { return i != 1 }); !slices.Equal(d, []int{0, -1, 3, 2, 1}) {
		t.Errorf("distances without 1: %v", d)
	}
	if d := ring.distances(0, func(i int) bool { return i != 1 && i != 4 }); d[2] != -1 {
		t.Errorf("distances of an island: %v", d)
	}
}

func TestCheck(t *testing.T) {
	good := sim.Scenario{Name: "x", Nodes: 3, Topology: sim.Topology{Kind: "random-regular"}}
	if err := Check(&good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*sim.Scenario){
		"nodes":     func(s *sim.Scenario) { s.Nodes = 2 },
		"topology":  func(s *sim.Scenario) { s.Topology.Kind = "ring" },
		"degree":    func(s *sim.Scenario) { s.Topology.Degree = 3 },
		"NAT":       func(s *sim.Scenario) { s.Topology.NAT = map[string]float64{"cone": 1} },
		"bridges":   func(s *sim.Scenario) { s.Topology.Bridges = 1 },
		"loss":      func(s *sim.Scenario) { s.Link.Loss = 0.1 },
		"attackers": func(s *sim.Scenario) { s.Attackers = make([]sim.Attacker, 1) },
		"trace":     func(s *sim.Scenario) { s.Churn.Trace = make([]sim.Leave, 1) },
		"service":   func(s *sim.Scenario) { s.Services = []sim.Service{{Slow: 1}} },
		"traffic":   func(s *sim.Scenario) { s.Traffic = []sim.Traffic{{Class: "fire"}} },
		"event":     func(s *sim.Scenario) { s.Events = []sim.Event{{What: "crowd"}} },
	} {
		s := good
		change(&s)
		if Check(&s) == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
