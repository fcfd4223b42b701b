package memnet_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/internal/memnet"
)

const far = 10 * time.Millisecond

// node runs a whole node as host i until the test ends.
func node(t *testing.T, n *memnet.Net, i uint64, opts ...meshnode.Option) *meshnode.Node {
	t.Helper()
	opts = append(opts, meshnode.WithMDNS(false), meshnode.WithTransports(n.Option(i)), meshnode.WithListen(memnet.Addr(i).String()))
	nd, err := meshnode.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nd.Close(); err != nil {
			t.Error(err)
		}
	})
	return nd
}

func pair(t *testing.T, opts ...meshnode.Option) (*memnet.Net, *meshnode.Node, *meshnode.Node) {
	t.Helper()
	n := memnet.New(memnet.Config{Latency: func(_, _ uint64) time.Duration { return far }})
	a, b := node(t, n, 1, opts...), node(t, n, 2, opts...)
	if _, err := a.Connect(t.Context(), b.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(t.Context(), meshnode.PeersAtLeast(1)); err != nil {
		t.Fatal(err)
	}
	return n, a, b
}

// Nodes speak over it as they do over sockets, in exactly the time it takes;
// in a network with a key too.
func TestNodes(t *testing.T) {
	for name, opt := range map[string]meshnode.Option{
		"open": meshnode.WithNetwork("default"), "sealed": meshnode.WithNetworkKey(make([]byte, 32)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a, b := pair(t, opt)
				echo := func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
					return meshnode.Reply{Payload: m.Payload}, nil
				}
				if _, err := b.Handle("echo", echo); err != nil {
					t.Fatal(err)
				}
				for _, want := range []time.Duration{4 * far, 2 * far} { // with a probe, and without
					began := time.Now()
					r, err := a.Request(t.Context(), "echo", []byte("hello"))
					if err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); string(r.Payload) != "hello" || r.Hops != 1 || took != want {
						t.Errorf("%q over %d hops in %v: want hello over 1 in %v", r.Payload, r.Hops, took, want)
					}
				}
			})
		})
	}
}

// The heartbeat of a link with something in flight ends it after 3 s of
// silence; an idle one is probed every 5 s besides. When the silence ends, the
// link comes back by itself.
func TestSilenceIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		busy   bool
		within time.Duration
	}{
		"busy": {true, 3 * time.Second}, "idle": {false, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, a, b := pair(t)
				held := make(chan struct{})
				hold := func(ctx context.Context, _ *meshnode.Message) (meshnode.Reply, error) {
					select {
					case <-held:
					case <-ctx.Done():
					}
					return meshnode.Reply{}, nil
				}
				if _, err := b.Handle("work", hold); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				asked := make(chan error, 1)
				if c.busy {
					go func() {
						_, err := a.Request(ctx, "work", nil)
						asked <- err
					}()
					<-time.After(5 * far) // it is in flight
				} else {
					asked <- nil
				}
				n.Silence(func(x, y uint64) bool { return true })
				began := time.Now()
				for a.Status().Peers > 0 && time.Since(began) < time.Minute {
					<-time.After(far)
				}
				if took := time.Since(began); took > c.within+2*far {
					t.Errorf("noticed after %v, want at most %v", took, c.within)
				}
				close(held)
				cancel()
				if err := <-asked; err != nil && !errors.Is(err, meshnode.ErrUnknown) && !errors.Is(err, context.Canceled) {
					t.Errorf("request: %v", err)
				}
				n.Silence(nil)
				back, stop := context.WithTimeout(t.Context(), 2*time.Minute)
				defer stop()
				if err := a.Wait(back, meshnode.PeersAtLeast(1)); err != nil {
					t.Errorf("not linked again: %v", err)
				}
			})
		})
	}
}

// A cut is noticed at once, and the link comes back by itself.
func TestCutIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, _ := pair(t)
		if cut := n.Cut(1, 2); cut != 1 {
			t.Fatalf("%d connections, want 1", cut)
		}
		synctest.Wait()
		if p := a.Status().Peers; p != 0 {
			t.Errorf("%d peers after the cut", p)
		}
		began := time.Now()
		if err := a.Wait(t.Context(), meshnode.PeersAtLeast(1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("linked again after %v", took)
		}
	})
}

// An address that is not this host's, or not of this network, is refused.
func TestListen(t *testing.T) {
	n := memnet.New(memnet.Config{})
	for _, addr := range []string{"/memory/2", "/ip4/127.0.0.1/tcp/0", "/memory/1/memory/1"} {
		nd, err := meshnode.New(t.Context(), meshnode.WithMDNS(false), meshnode.WithTransports(n.Option(1)), meshnode.WithListen(addr))
		if err == nil {
			t.Errorf("listens on %s", addr)
			nd.Close()
		}
	}
	if got := memnet.Addr(7); !got.Equal(ma.StringCast("/memory/7")) {
		t.Errorf("the address of 7 is %s", got)
	}
}
