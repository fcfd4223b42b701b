package netns_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

// Thirty nodes are fewer than the degree of the profile lan: each is the
// neighbour of all others.
func TestLANofThirty(t *testing.T) {
	l := newLab(t)
	hosts := manyHosts(l, 30)
	l.Switch("10.9.0.0/16", hosts...)

	start := time.Now()
	var nodes []*netns.Node
	for _, h := range hosts {
		nodes = append(nodes, h.Up())
	}
	check(t, netns.Each(nodes, (*netns.Node).Ready))
	ready := time.Since(start)
	check(t, netns.Each(nodes, func(n *netns.Node) error { return n.Await("peers=29", time.Minute-time.Since(start)) }))
	t.Logf("ready after %v, all neighbours of all after %v", ready.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))

	check(t, netns.Each(nodes, func(n *netns.Node) error {
		peers, err := n.Peers()
		if err != nil {
			return err
		}
		names := map[string]bool{n.Name: true}
		for _, p := range peers {
			names[p.Name] = true
		}
		if len(names) != len(nodes) {
			return fmt.Errorf("%s and its neighbours are %d: want %d", n.Name, len(names), len(nodes))
		}
		return nil
	}))

	serve(t, nodes[0], "inventory")
	asked := time.Now()
	for _, n := range nodes {
		r, _, err := n.Request("inventory", n.Name, "--timeout", "10s")
		check(t, err)
		if r.Text != n.Name {
			t.Errorf("%s got %q: want its own name", n.Name, r.Text)
		}
	}
	t.Logf("each was answered, one after the other, in %v", time.Since(asked).Round(time.Millisecond))
}
