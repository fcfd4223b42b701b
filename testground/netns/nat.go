package netns

import "fmt"

// Masquerade makes the host a home router: the hosts of the inner switch reach
// the outer one through it, and all of them appear there with its one address.
// Only what they began comes back in.
func (l *Lab) Masquerade(gate *Host, inner, outer *Switch) {
	l.t.Helper()
	Require(l.t, "nft")
	rules := fmt.Sprintf(`
		table ip home {
			chain out { type nat hook postrouting priority srcnat; oifname %[2]q masquerade; }
			chain through {
				type filter hook forward priority filter; policy drop;
				ct state established,related accept
				iifname %[1]q accept
			}
			chain in {
				type filter hook input priority filter;
				iifname %[2]q ct state established,related accept
				iifname %[2]q drop
			}
		}`, gate.device(inner), gate.device(outer))
	l.must("ip", gate.exec("nft", []string{rules})...)
	l.must("ip", gate.exec("sh", []string{"-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"})...)
}

// Through makes a router the way to everywhere else for a host of the switch.
func (h *Host) Through(gate *Host, s *Switch) {
	h.lab.t.Helper()
	h.lab.must("ip", "-n", h.space, "route", "add", "default", "via", gate.Addr(s).String())
}

func (h *Host) device(s *Switch) string {
	h.lab.t.Helper()
	for i, j := range h.jacks {
		if j.to == s {
			return fmt.Sprintf("eth%d", i)
		}
	}
	h.lab.t.Fatalf("%s is not plugged into %s", h.Name, s.subnet)
	return ""
}
