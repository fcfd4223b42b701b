package transport

import (
	"context"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
)

// A link stands over a relayed connection, and moves to a direct one.
func TestRelayedLinkMoves(t *testing.T) {
	relay, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.ForceReachabilityPublic(),
		libp2p.EnableRelayService(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.Close() })
	a, b := start(t, nil), start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := client.Reserve(ctx, b.host, peer.AddrInfo{ID: relay.ID(), Addrs: relay.Addrs()}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Connect(ctx, relay.Addrs()[0].String()+"/p2p/"+relay.ID().String()+"/p2p-circuit/p2p/"+b.self.String()); err != nil {
		t.Fatal(err)
	}
	la, lb := a.link(t), b.link(t)
	if !la.Conn.Stat().Limited {
		t.Fatal("not relayed")
	}
	pass(t, la, lb, "by the relay")
	direct := peer.AddrInfo{ID: b.self, Addrs: b.host.Addrs()}
	if err := a.host.Connect(network.WithForceDirectDial(ctx, "test"), direct); err != nil {
		t.Fatal(err)
	}
	la, lb = settle(t, a, b, a.link(t), b.link(t))
	if la.Conn.Stat().Limited || lb.Conn.Stat().Limited {
		t.Error("still relayed")
	}
}

// A second connection that nobody uses is closed by the side with the lower
// ID, after a while; the link stays.
func TestDuplicateClosed(t *testing.T) {
	low, high := start(t, nil), start(t, nil)
	if high.self < low.self {
		low, high = high, low
	}
	if err := connect(t, low, high); err != nil {
		t.Fatal(err)
	}
	llow, lhigh := low.link(t), high.link(t)

	addr := low.host.Addrs()[0]
	second, err := high.host.Network().(*swarm.Swarm).TransportForDialing(addr).Dial(t.Context(), addr, low.self)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // identify asks, nobody answers
		defer close(done)
		for {
			s, err := second.AcceptStream()
			if err != nil {
				return
			}
			s.Reset()
		}
	}()
	conns := func() int { return len(low.host.Network().ConnsToPeer(high.self)) }
	eventually(t, "two connections", func() bool { return conns() == 2 })
	low.closeDuplicates(time.Now())
	if n := conns(); n != 2 {
		t.Fatalf("%d connections: closed too early", n)
	}
	eventually(t, "one closed", func() bool {
		low.closeDuplicates(time.Now().Add(duplicateAge))
		return conns() == 1
	})
	<-done
	pass(t, llow, lhigh, "still here")
}
