package netns

import (
	"fmt"
	"net/netip"
	"slices"
)

// Host is one namespace, with an interface for each switch it is plugged into.
type Host struct {
	Name string

	lab   *Lab
	space string
	jacks []jack
}

// jack is one end of a cable.
type jack struct {
	to   *Switch
	port string // on the switch
	addr netip.Addr
}

// Host adds a host without any network.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	return &Host{Name: name, lab: l, space: l.space(name)}
}

// Hosts adds several.
func (l *Lab) Hosts(names ...string) []*Host {
	l.t.Helper()
	var hosts []*Host
	for _, n := range names {
		hosts = append(hosts, l.Host(n))
	}
	return hosts
}

// Run runs a program in the host and returns all it said.
func (h *Host) Run(program string, args ...string) (string, error) {
	return run("ip", h.exec(program, args)...)
}

func (h *Host) exec(program string, args []string) []string {
	return slices.Concat([]string{"netns", "exec", h.space, program}, args)
}

// Reaches pings an address once, and waits a second for its answer.
func (h *Host) Reaches(a netip.Addr) error {
	out, err := h.Run("ping", "-n", "-c1", "-W1", a.String())
	if err != nil {
		return fmt.Errorf("%s does not reach %s: %w: %s", h.Name, a, err, out)
	}
	return nil
}

// Addr is the host's address on a switch.
func (h *Host) Addr(s *Switch) netip.Addr {
	h.lab.t.Helper()
	for _, j := range h.jacks {
		if j.to == s {
			return j.addr
		}
	}
	h.lab.t.Fatalf("%s has no address on %s", h.Name, s.subnet)
	return netip.Addr{}
}
