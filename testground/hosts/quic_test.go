package hosts

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"github.com/meshnode/meshnode"
)

// never is the latency of a packet that does not arrive.
const never = 1000 * time.Hour

// packets is a world of QUIC over simulated UDP.
type packets struct {
	net    *simnet.Simnet
	silent atomic.Pointer[func(a, b uint64) bool]
}

func newPackets(lat time.Duration) *packets {
	w := &packets{net: &simnet.Simnet{Logger: slog.New(slog.DiscardHandler)}}
	w.silence(func(_, _ uint64) bool { return false })
	w.net.LatencyFunc = func(p *simnet.Packet) time.Duration {
		if (*w.silent.Load())(number(p.From), number(p.To)) {
			return never
		}
		return lat
	}
	w.net.Start()
	return w
}

// at is the address of a node, 10.0.0.0 and up.
func at(node int) net.IP { return net.IPv4(10, 0, byte(node>>8), byte(node)) }

func number(a net.Addr) uint64 {
	ip := a.(*net.UDPAddr).IP.To4()
	return uint64(ip[2])<<8 | uint64(ip[3])
}

func (w *packets) host(i int) ([]libp2p.Option, string) {
	fast := simnet.LinkSettings{BitsPerSecond: 100 * simlibp2p.OneMbps}
	return []libp2p.Option{
		libp2p.Transport(quic.NewTransport),
		simlibp2p.QUICSimnet(w.net, simnet.NodeBiDiLinkSettings{Downlink: fast, Uplink: fast}),
		libp2p.DisableIdentifyAddressDiscovery(), // it stalls virtual time
	}, "/ip4/" + at(i).String() + "/udp/8000/quic-v1"
}

func (w *packets) silence(between func(a, b uint64) bool) { w.silent.Store(&between) }
func (w *packets) open() int                              { return 0 } // it does not tell

// TestQUIC: links over QUIC carry requests over several hops, and one that
// goes silent is noticed as over TCP, long before QUIC does.
func TestQUIC(t *testing.T) {
	const nodes = 30
	cost := bubble(t, func(t *testing.T) {
		w := newPackets(10 * time.Millisecond)
		t.Cleanup(w.net.Close) // after the nodes
		m := grow(t, w, regular(nodes, 4, random(1, forGraph)))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()

		d := m.graph.distances(0, func(int) bool { return true })
		far := 0
		for i := range d {
			if d[i] > d[far] {
				far = i
			}
		}
		asked := make(chan struct{}, 8)
		work := func(ctx context.Context, _ *meshnode.Message) (meshnode.Reply, error) {
			asked <- struct{}{}
			return meshnode.Text("done"), nil
		}
		if _, err := m.Node(far).Handle("work", work); err != nil {
			t.Fatal(err)
		}
		request := func() time.Duration {
			began := time.Now()
			r, err := m.Node(0).Request(ctx, "work", nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Hops < d[far] || r.Hops > maxDetour*d[far] {
				t.Errorf("%d hops, the shortest way has %d", r.Hops, d[far])
			}
			return time.Since(began)
		}
		request()
		if p := m.Node(0).Peers()[0]; p.Transport != "quic" {
			t.Errorf("the link is over %q", p.Transport)
		}

		// The first node of the way falls silent: the request finds another.
		via := -1
		for _, r := range m.Node(0).Routes() {
			if m.Index(r.To) == far {
				via = m.Index(r.Via)
			}
		}
		if via < 0 || via == far {
			t.Fatalf("the way to node %d begins at %d", far, via)
		}
		w.silence(func(a, b uint64) bool { return a == uint64(via) || b == uint64(via) })
		if took := request(); took > 3*time.Second {
			t.Errorf("answered %v after silence fell", took)
		}
		began := time.Now()
		for i, links := 0, len(m.graph.links[0]); len(m.Node(0).Peers()) == links && i < 100; i++ {
			<-time.After(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("the silent link was ended after %v", took)
		}
		if n := len(asked); n != 2 {
			t.Errorf("handled %d times, want 2", n)
		}
	})
	t.Logf("%d nodes over QUIC: wall %.1f s, CPU %.1f s", nodes, cost.Wall.Seconds(), cost.CPU.Seconds())
}
