package transport

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

func TestRank(t *testing.T) {
	const relayed = "/ip4/8.8.8.8/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p-circuit"
	for _, c := range []struct {
		in   []string
		want map[string]time.Duration
	}{
		{[]string{"/ip4/192.168.1.2/udp/1/quic-v1", "/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"}, map[string]time.Duration{
			"/ip4/192.168.1.2/tcp/1": 0, "/ip4/127.0.0.1/tcp/1": nextTCP, "/ip4/192.168.1.2/udp/1/quic-v1": lateQUIC,
		}},
		{[]string{"/ip4/192.168.1.2/udp/1/quic-v1"}, map[string]time.Duration{"/ip4/192.168.1.2/udp/1/quic-v1": 0}},
		{[]string{"/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/udp/1/quic-v1", relayed}, map[string]time.Duration{
			"/ip4/8.8.8.8/udp/1/quic-v1": 0, "/ip4/8.8.8.8/tcp/1": 250 * time.Millisecond, relayed: 500 * time.Millisecond,
		}},
		{[]string{"/memory/1", "/ip4/192.168.1.2/udp/1/quic-v1"}, map[string]time.Duration{
			"/memory/1": 0, "/ip4/192.168.1.2/udp/1/quic-v1": 0, // an embedder's transport beside QUIC
		}},
	} {
		got := rank(addrs(t, c.in...))
		if len(got) != len(c.want) {
			t.Errorf("%v: %v", c.in, got)
		}
		for _, d := range got {
			if want, ok := c.want[d.Addr.String()]; !ok || d.Delay != want {
				t.Errorf("%v: %s after %v, want %v", c.in, d.Addr, d.Delay, want)
			}
		}
	}
}

func TestBelievable(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("192.168.1.2/24"), netip.MustParsePrefix("2001:db8:1::2/64")}
	for _, c := range []struct{ claimed, want []string }{
		{[]string{"/ip4/192.168.1.9/tcp/1", "/ip4/127.0.0.1/tcp/1"}, []string{"/ip4/192.168.1.9/tcp/1"}},
		{[]string{"/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"}, []string{"/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"}}, // this machine
		{[]string{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/1/quic-v1"}, []string{"/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/1/quic-v1"}},
		{[]string{"/ip4/10.1.2.3/udp/1/quic-v1", "/ip6/fd00::1/tcp/1", "/ip4/100.64.0.1/tcp/1"}, []string{"/ip4/10.1.2.3/udp/1/quic-v1", "/ip6/fd00::1/tcp/1", "/ip4/100.64.0.1/tcp/1"}},
		{[]string{"/ip6/2001:db8:1::7/tcp/1", "/ip6/2001:db8:2::7/tcp/1"}, []string{"/ip6/2001:db8:1::7/tcp/1"}},
		{[]string{"/ip4/8.8.8.8/tcp/1", "/dns4/example.org/tcp/1", "/ip4/10.0.0.1/udp/1", "/ip4/10.0.0.1/tcp/1/ws",
			"/ip4/10.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp/p2p-circuit"}, nil},
	} {
		got := believable(addrs(t, c.claimed...), ours)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v: believes %v, want %v", c.claimed, got, c.want)
		}
	}
	var many []ma.Multiaddr
	for i := range 100 {
		many = append(many, addrs(t, fmt.Sprintf("/ip4/10.0.0.1/tcp/%d", i+1))...)
	}
	if n := len(believable(many, nil)); n != maxPeerAddr {
		t.Errorf("believes %d of 100", n)
	}
}

// One address that is not loopback, which libp2p exempts, may hold as many
// connections as a node accepts; libp2p's own limits end at 8 and at 16.
func TestManyConnectionsOfOneAddress(t *testing.T) {
	for name, p := range profiles {
		for _, ip := range []string{"/ip4/203.0.113.7", "/ip6/2001:db8::7"} {
			m, err := newResourceManager(p)
			if err != nil {
				t.Fatal(err)
			}
			n := min(p.max, 256)
			for i := range n {
				c, err := m.OpenConnection(network.DirInbound, false, addrs(t, fmt.Sprintf("%s/tcp/%d", ip, i+1))[0])
				if err != nil {
					t.Fatalf("%s: connection %d from %s: %v", name, i+1, ip, err)
				}
				defer c.Done()
			}
			m.Close()
		}
	}
}
