package netns

import (
	"fmt"
	"net/netip"
)

// Switch is one Ethernet segment with one IPv4 subnet.
type Switch struct {
	lab    *Lab
	bridge string
	subnet netip.Prefix
	last   netip.Addr
}

// Switch adds a segment and plugs the hosts in: the first host gets the first
// address of the subnet, such as 10.1.0.1 of 10.1.0.0/24, and so on.
func (l *Lab) Switch(subnet string, hosts ...*Host) *Switch {
	l.t.Helper()
	p, err := netip.ParsePrefix(subnet)
	if err != nil {
		l.t.Fatalf("switch: %v", err)
	}
	s := &Switch{lab: l, bridge: fmt.Sprintf("br%d", l.bridges), subnet: p, last: p.Masked().Addr()}
	l.bridges++
	// Without snooping, multicast reaches every port from the first packet.
	l.must("ip", "-n", l.switches, "link", "add", s.bridge, "type", "bridge", "mcast_snooping", "0")
	l.must("ip", "-n", l.switches, "link", "set", s.bridge, "up")
	for _, h := range hosts {
		s.plug(h)
	}
	return s
}

// Connect puts a cable between two hosts. It is a switch with two ports, so
// that cutting it takes no carrier away, as on a real network.
func (l *Lab) Connect(a, b *Host, subnet string) *Switch {
	l.t.Helper()
	return l.Switch(subnet, a, b)
}

func (s *Switch) plug(h *Host) {
	l := s.lab
	l.t.Helper()
	s.last = s.last.Next()
	dev, port := fmt.Sprintf("eth%d", len(h.jacks)), fmt.Sprintf("port%d", l.ports)
	l.ports++
	l.must("ip", "link", "add", dev, "netns", h.space, "type", "veth", "peer", "name", port, "netns", l.switches)
	l.must("ip", "-n", l.switches, "link", "set", port, "master", s.bridge, "up")
	l.must("ip", "-n", h.space, "addr", "add", fmt.Sprintf("%s/%d", s.last, s.subnet.Bits()), "dev", dev)
	l.must("ip", "-n", h.space, "link", "set", dev, "up")
	h.jacks = append(h.jacks, jack{to: s, port: port, addr: s.last})
}

// Cut makes the switches drop all that comes from or goes to the host. Nobody
// is told: no FIN, no RST, no lost carrier.
func (l *Lab) Cut(h *Host) {
	l.t.Helper()
	l.setPorts(h, "0") // disabled
}

// Heal undoes Cut.
func (l *Lab) Heal(h *Host) {
	l.t.Helper()
	l.setPorts(h, "3") // forwarding
}

func (l *Lab) setPorts(h *Host, state string) {
	l.t.Helper()
	for _, j := range h.jacks {
		l.must("bridge", "-n", l.switches, "link", "set", "dev", j.port, "state", state)
	}
}
