package netns_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

// recovery bounds a request sent right after its way was broken.
const recovery = 2 * time.Second

// The service is three hops away both ways round. The way in use breaks at the
// first node of it, a neighbour of who asks, or at the second, which only
// others can notice; with a word to the neighbours (the kernel of a killed
// process closes its connections) or without one.
func TestRingOfSix(t *testing.T) {
	kill := func(_ *netns.Lab, n *netns.Node) { n.Kill() }
	cut := func(l *netns.Lab, n *netns.Node) { l.Cut(n.Host) }
	for _, c := range []struct {
		name   string
		broken func(*netns.Lab, *netns.Node)
		second bool
	}{
		{"first killed", kill, false},
		{"second killed", kill, true},
		{"first cut", cut, false},
		{"second cut", cut, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			nodes := ring(t, l)
			a, d := nodes[0], nodes[3]
			serve(t, d, "inventory")
			ask := func() {
				r, _, err := a.Request("inventory", "before", "--timeout", "10s")
				check(t, err)
				if r.Hops != 3 {
					t.Fatalf("d answered over %d hops: want 3", r.Hops)
				}
			}
			ask() // finds the way; the next one only goes it
			b, f := nodes[1], nodes[5]
			victim, detour := usedBy(t, b, f, ask), f
			if victim == f {
				detour = b
			}
			if c.second {
				victim = map[*netns.Node]*netns.Node{b: nodes[2], f: nodes[4]}[victim]
			}
			before := counter(t, detour, "forwarded")

			c.broken(l, victim)
			r, took, err := a.Request("inventory", "after", "--timeout", "10s")
			check(t, err)
			t.Logf("without %s: answered over %d hops in %v", victim.Name, r.Hops, took.Round(time.Millisecond))
			if r.Text != "after" {
				t.Errorf("d answered %q", r.Text)
			}
			if took >= recovery {
				t.Errorf("the answer took %v: want less than %v", took, recovery)
			}
			if counter(t, detour, "forwarded") == before {
				t.Errorf("%s forwarded nothing: want the other way round", detour.Name)
			}
		})
	}
}

// ring starts a-b-c-d-e-f-a.
func ring(t *testing.T, l *netns.Lab) []*netns.Node {
	t.Helper()
	hosts := l.Hosts("a", "b", "c", "d", "e", "f")
	var cables []*netns.Switch
	for i, h := range hosts {
		cables = append(cables, l.Connect(h, hosts[(i+1)%6], fmt.Sprintf("10.%d.0.0/24", i+1)))
	}
	nodes := upChain(t, hosts, cables)
	_, err := nodes[5].Call("peers", "connect", addr(t, nodes[0], cables[5], "tcp"))
	check(t, err)
	check(t, netns.Each(nodes, func(n *netns.Node) error { return n.Await("peers=2", waits) }))
	return nodes
}
