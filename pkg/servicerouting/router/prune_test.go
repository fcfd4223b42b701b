package router

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// With links of unequal latency, where the first copy of a flood is seldom the
// one with the most TTL, floods still come down to a tree, and stay one while
// they go on.
func TestFloodsBecomeATree(t *testing.T) {
	const nodes, providers = 300, 30
	n := randomGraph(3, nodes, 8)
	for i := range providers {
		n.serve(fmt.Sprint(i*9 + 5))
	}
	var sends []int
	for k := range 600 {
		before := n.sends
		res, _ := n.publish("0", "svc", func(p *Pub) { p.Mode = mesh.ModeAll; p.Expires = n.now.Add(5 * time.Second) })
		n.run(2 * time.Second)
		if len(res.all) != providers {
			t.Fatalf("message %d: %d of %d answered", k, len(res.all), providers)
		}
		for _, name := range n.names {
			s := n.nodes[name]
			s.r.Sweep(n.now)
			s.act()
		}
		sends = append(sends, n.sends-before)
	}
	// A tree to 30 of 300 nodes has at most 30 times the depth in edges.
	if settled := sends[10]; settled > 80 {
		t.Errorf("after ten floods one costs %d crossings: %v", settled, sends[:11])
	}
	wide := 0
	for _, s := range sends[10:] {
		if s > 500 {
			wide++
		}
	}
	// 20 minutes: prunes end once.
	if wide < 1 || wide > 15 {
		t.Errorf("%d floods of twenty minutes are wide again: %v", wide, sends)
	}
	// Nobody uses them for a minute: they are gone.
	n.run(61 * time.Second)
	before := n.sends
	n.publish("0", "svc", func(p *Pub) { p.Mode = mesh.ModeAll; p.Expires = n.now.Add(5 * time.Second) })
	n.run(2 * time.Second)
	if n.sends-before < 500 {
		t.Errorf("a minute later one costs %d crossings, as if they held", n.sends-before)
	}
}
