package transport

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/libp2p/zeroconf/v2"
)

// multicast skips a test where nothing can be heard.
func multicast(t *testing.T) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 && err == nil && len(addrs) > 0 {
			return
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no interface with multicast")
	}
	t.Skip("no interface with multicast")
}

func heard(c *Config) {
	c.MDNS = true
	c.Listen = []string{"/ip4/0.0.0.0/tcp/0"}
}

func TestMDNS(t *testing.T) {
	multicast(t)
	a := start(t, func(c *Config) { heard(c); c.Network = "mdns-red" })
	other := start(t, func(c *Config) { heard(c); c.Network = "mdns-blue" })
	b := start(t, func(c *Config) { heard(c); c.Network = "mdns-red" })
	if l := a.link(t); l.Peer != b.self {
		t.Errorf("a linked %s", l.Peer)
	}
	if l := b.link(t); l.Peer != a.self {
		t.Errorf("b linked %s", l.Peer)
	}
	if n := other.Counters()["dials"]; n != 0 {
		t.Errorf("the node of another network dialled %d times", n)
	}
	if w := a.Warnings(); len(w) != 0 {
		t.Errorf("warnings %v", w)
	}
}

func TestMDNSHeard(t *testing.T) {
	e := start(t, nil)
	x := peerID(t)
	entry := func(text ...string) *zeroconf.ServiceEntry {
		return &zeroconf.ServiceEntry{ServiceRecord: zeroconf.ServiceRecord{Instance: "someone"}, Text: text}
	}
	for _, junk := range [][]string{
		nil,
		{"hello"},
		{"dnsaddr="},
		{"dnsaddr=/ip4/192.168.1.9/tcp/1"},
		{"dnsaddr=/ip4/8.8.8.8/tcp/1/p2p/" + x.String()},
		{"dnsaddr=/ip4/192.168.1.9/tcp/1/p2p/" + x.String(), "dnsaddr=/ip4/192.168.1.9/tcp/1/p2p/" + peerID(t).String()},
	} {
		e.mdnsHeard(entry(junk...))
	}
	e.mu.Lock()
	n := len(e.plan.targets)
	e.mu.Unlock()
	if n != 0 {
		t.Errorf("%d targets from junk", n)
	}
	e.mdnsHeard(entry("dnsaddr=/ip4/127.0.0.1/tcp/1/p2p/"+x.String(), "v=1"))
	e.mu.Lock()
	target := e.plan.targets[x]
	e.mu.Unlock()
	if target == nil || target.source != fromLAN {
		t.Errorf("target %+v", target)
	}

	e.mdnsHeard(entry("dnsaddr=/ip4/192.168.77.9/tcp/1/p2p/" + e.self.String()))
	if w := fmt.Sprint(e.Warnings()); !strings.Contains(w, "the LAN has /ip4/192.168.77.9/tcp/1 with the identity of this node") {
		t.Errorf("warnings %s", w)
	}
}

func TestMDNSServiceName(t *testing.T) {
	red, blue := start(t, func(c *Config) { c.Network = "red" }), start(t, func(c *Config) { c.Network = "blue" })
	a, b := red.mdnsService(), blue.mdnsService()
	if a == b {
		t.Errorf("both are %s", a)
	}
	if name := strings.TrimSuffix(strings.TrimPrefix(a, "_"), "._udp"); len(name) > 15 {
		t.Errorf("%q has %d characters", name, len(name))
	}
}
