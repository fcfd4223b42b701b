package netns_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

// An office, a container host: thirty nodes that a public node sees at one
// address. The limits per address must let them all in, by either transport.
func TestThirtyBehindOneAddress(t *testing.T) {
	l := newLab(t, "nft")
	public, gate := l.Host("public"), l.Host("gate")
	hosts := manyHosts(l, 30)
	outer := l.Switch("10.8.0.0/16", public, gate)
	inner := l.Switch("10.9.0.0/16", append([]*netns.Host{gate}, hosts...)...)
	l.Masquerade(gate, inner, outer)
	for _, h := range hosts {
		h.Through(gate, inner)
	}

	hub := public.Up("--no-mdns")
	check(t, hub.Ready())
	tcp, quic := addr(t, hub, outer, "tcp"), addr(t, hub, outer, "quic")

	start := time.Now()
	var nodes []*netns.Node
	for i, h := range hosts {
		nodes = append(nodes, h.Up("--no-mdns", "--join", []string{tcp, quic}[i%2]))
	}
	check(t, netns.Each(nodes, (*netns.Node).Ready))
	check(t, hub.Await("peers=30", 30*time.Second))
	t.Logf("all in after %v", time.Since(start).Round(time.Millisecond))

	peers, err := hub.Peers()
	check(t, err)
	seen := map[string]int{}
	for _, p := range peers {
		if !strings.HasPrefix(p.Address, fmt.Sprintf("/ip4/%s/", gate.Addr(outer))) {
			t.Errorf("%s is seen at %s: want the one address of the gate", p.Name, p.Address)
		}
		seen[strings.Split(p.Address, "/")[3]]++
	}
	if len(peers) != 30 || seen["tcp"] != 15 || seen["udp"] != 15 {
		t.Errorf("the public node has %d neighbours, by %v: want 30, half by each transport", len(peers), seen)
	}

	// Each is only the hub's neighbour, and reaches the others through it.
	serve(t, nodes[0], "inventory")
	check(t, netns.Each(nodes[1:], func(n *netns.Node) error {
		r, _, err := n.Request("inventory", n.Name, "--timeout", "30s")
		if err == nil && (r.Text != n.Name || r.Hops != 2) {
			err = fmt.Errorf("%s got %+v: want its own name, over 2 hops", n.Name, r)
		}
		return err
	}))
}
