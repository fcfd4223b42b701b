package netns_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

// waits bounds what a healthy mesh does at once.
const waits = 15 * time.Second

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
		sent = append(sent, counter(t, n, "probes"))
	}
	return sent
}

func counter(t *testing.T, n *netns.Node, name string) uint64 {
	t.Helper()
	st, err := n.Status()
	check(t, err)
	count, ok := st.Counters[name]
	if !ok {
		t.Fatalf("%s has no counter %q among %v", n.Name, name, st.Counters)
	}
	return count
}

// usedBy names which of two nodes forwards while do runs.
func usedBy(t *testing.T, one, other *netns.Node, do func()) *netns.Node {
	t.Helper()
	was, wasOther := counter(t, one, "forwarded"), counter(t, other, "forwarded")
	do()
	did, didOther := counter(t, one, "forwarded")-was, counter(t, other, "forwarded")-wasOther
	if (did == 0) == (didOther == 0) {
		t.Fatalf("%s forwarded %d and %s %d: want one of them to be the way", one.Name, did, other.Name, didOther)
	}
	if did > 0 {
		return one
	}
	return other
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
