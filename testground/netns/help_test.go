package netns_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/meshnode/meshnode/testground/netns"
)

// newLab is a lab with the binary built from this tree.
func newLab(t *testing.T, programs ...string) *netns.Lab {
	t.Helper()
	netns.Require(t, programs...)
	l := netns.New(t)
	var err error
	if l.Program, err = program(); err != nil {
		t.Fatal(err)
	}
	return l
}

// manyHosts are n01, n02, …
func manyHosts(l *netns.Lab, n int) []*netns.Host {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%02d", i+1))
	}
	return l.Hosts(names...)
}

// upChain starts a node in each host, the next one joining the one before it
// over the cable between them.
func upChain(t *testing.T, hosts []*netns.Host, cables []*netns.Switch) []*netns.Node {
	t.Helper()
	var nodes []*netns.Node
	for i, h := range hosts {
		args := []string{"--no-mdns"}
		if i > 0 {
			args = append(args, "--join", addr(t, nodes[i-1], cables[i-1], "tcp"))
		}
		n := h.Up(args...)
		check(t, n.Ready())
		nodes = append(nodes, n)
	}
	return nodes
}

// serve runs an echo service on the node and waits until it is there.
func serve(t *testing.T, n *netns.Node, service string) {
	t.Helper()
	n.Serve(service)
	check(t, n.Await("service="+service, waits))
}

// addr is how others join a node over a switch, by tcp or quic.
func addr(t *testing.T, n *netns.Node, s *netns.Switch, transport string) string {
	t.Helper()
	at := fmt.Sprintf("/ip4/%s/tcp/%d", n.Addr(s), netns.Port)
	if transport == "quic" {
		at = fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", n.Addr(s), netns.Port)
	}
	return at + "/p2p/" + id(t, n)
}

func id(t *testing.T, n *netns.Node) string {
	t.Helper()
	st, err := n.Status()
	check(t, err)
	return st.ID
}

// probes is how many probes each node has sent.
func probes(t *testing.T, nodes []*netns.Node) []uint64 {
	t.Helper()
	var sent []uint64
	for _, n := range nodes {
		st, err := n.Status()
		check(t, err)
		count, ok := st.Counters["probes"]
		if !ok {
			t.Fatalf("%s has no counter of probes: %v", n.Name, st.Counters)
		}
		sent = append(sent, count)
	}
	return sent
}

// via names the neighbour through which one node reaches another.
func via(t *testing.T, nodes []*netns.Node, from, to *netns.Node) *netns.Node {
	t.Helper()
	routes, err := from.Routes()
	check(t, err)
	slices.SortStableFunc(routes, func(a, b netns.Route) int { return a.Hops - b.Hops })
	target := id(t, to)
	for _, r := range routes {
		if r.To != target {
			continue
		}
		for _, n := range nodes {
			if id(t, n) == r.Via {
				return n
			}
		}
	}
	t.Fatalf("%s knows no way to %s among %v", from.Name, to.Name, routes)
	return nil
}

func reach(t *testing.T, h *netns.Host, a netip.Addr) {
	t.Helper()
	check(t, h.Reaches(a))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
