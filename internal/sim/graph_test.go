package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQueueOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var q queue
	var all []event
	for i := range 5000 {
		at := rnd.Int64N(50)
		q.push(at, evTick, uint32(i), 0)
		all = append(all, event{at: at, no: q.last<<8 | uint64(evTick), a: uint32(i)})
		if i%3 == 0 {
			slices.SortFunc(all, func(a, b event) int {
				if a.before(&b) {
					return -1
				}
				return 1
			})
			if got := q.pop(); got != all[0] {
				t.Fatalf("popped %+v, want %+v", got, all[0])
			}
			all = all[1:]
		}
	}
}

// TestShortest compares the search from both sides with Bellman and Ford's.
func TestShortest(t *testing.T) {
	s := build(t, &Scenario{Nodes: 80, Topology: Topology{Degree: 4}, Services: []Service{{Name: "svc"}}})
	for x := 0; x < len(s.ends); x += 20 {
		s.hush(int32(x))
	}
	for _, latency := range []bool{false, true} {
		for from := range int32(10) {
			dist := make([]int64, len(s.nodes))
			for i := range dist {
				dist[i] = 1 << 60
			}
			dist[from] = 0
			for range s.nodes {
				for x := range s.ends {
					e := &s.ends[x]
					if e.silent {
						continue
					}
					w := int64(1)
					if latency {
						w = e.latency
					}
					dist[e.peer] = min(dist[e.peer], dist[e.node]+w)
				}
			}
			for to := range int32(len(s.nodes)) {
				if got := s.paths.shortest(s, from, to, latency); to != from && got != dist[to] {
					t.Errorf("%d to %d (latency %v): %d, want %d", from, to, latency, got, dist[to])
				}
			}
			for hops := range 4 {
				far := int32(slices.Max(indexesWithin(dist, 1<<60)))
				s.paths.target(far)
				if got, want := s.paths.near(s, from, hops, s.now), !latency && dist[far] <= int64(hops); !latency && got != want {
					t.Errorf("%d within %d hops of %d: %v, want %v", far, hops, from, got, want)
				}
			}
		}
	}
}

func indexesWithin(dist []int64, most int64) (out []int) {
	for i, d := range dist {
		if d < most {
			out = append(out, i)
		}
	}
	return out
}

func TestTopologies(t *testing.T) {
	for kind, want := range map[string]struct{ links, most int }{
		"line":           {59, 2},
		"ring":           {60, 2},
		"grid":           {120, 5},
		"random-regular": {250, 9},
		"small-world":    {240, 16},
		"tree":           {59, 5},
		"star":           {59, 59},
	} {
		s := build(t, &Scenario{Nodes: 60, Topology: Topology{Kind: kind}, Services: []Service{{Name: "svc"}}})
		most := 0
		for i := range s.nodes {
			most = max(most, len(s.nodes[i].links))
		}
		if s.pairs < want.links-10 || s.pairs > want.links || most > want.most {
			t.Errorf("%s: %d links, at most %d at a node; want %d and %d", kind, s.pairs, most, want.links, want.most)
		}
		for i := range s.nodes {
			s.paths.target(int32(i))
		}
		if n := s.paths.tree(s, 0, 60); n != 59 {
			t.Errorf("%s: a tree over all nodes has %d links, want 59", kind, n)
		}
	}
}

func TestRegionsAreJoinedByBridges(t *testing.T) {
	s := build(t, &Scenario{
		Nodes: 120, Services: []Service{{Name: "svc"}},
		Topology: Topology{Kind: "regions", Bridges: 3, BridgeLinks: 2, Regions: []Region{{Name: "a"}, {Name: "b"}, {Name: "c"}},
			BridgeLink: Link{Latency: 77 * time.Millisecond}},
	})
	across := 0
	for x := 0; x < len(s.ends); x += 2 {
		e := &s.ends[x]
		if s.nodes[e.node].region == s.nodes[e.peer].region {
			continue
		}
		across++
		if e.latency != int64(77*time.Millisecond) {
			t.Errorf("a bridge's link has a latency of %v", time.Duration(e.latency))
		}
		if s.nodes[e.node].other == nobody && s.nodes[e.peer].other == nobody {
			t.Errorf("%d and %d are linked, and neither is a bridge", e.node, e.peer)
		}
	}
	if across != 3*3*2 {
		t.Errorf("%d links between regions, want 18", across)
	}
}

// TestNATs: two nodes behind symmetric NATs are never linked, nor one with a
// cone.
func TestNATs(t *testing.T) {
	s := build(t, &Scenario{
		Nodes: 100, Duration: 5 * time.Second, Services: []Service{{Name: "svc"}}, Churn: Churn{Rate: 5, Downtime: time.Second},
		Topology: Topology{NAT: map[string]float64{"symmetric": 0.3, "cone": 0.4}, PunchFails: 0.5},
	})
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i := range s.nodes {
		for _, l := range s.nodes[i].links {
			if s.nodes[i].nat == natSymmetric {
				if seen++; s.nodes[l.peer].nat != natOpen {
					t.Errorf("%d, behind a symmetric NAT, is linked with %d of class %d", i, l.peer, s.nodes[l.peer].nat)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no node behind a symmetric NAT has a link")
	}
}
