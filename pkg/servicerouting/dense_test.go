package servicerouting

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// In a dense mesh of 12 nodes whose links are cut and joined at random, every
// acknowledged message is handled exactly once, and the counters reconcile.
func TestDenseMeshUnderCuts(t *testing.T) {
	const nodes, messages, publishers = 12, 10_000, 48
	f := newFabric(t, nodes, nil)
	rnd := rand.New(rand.NewPCG(1, 2))
	var links [][2]int
	for a := range nodes {
		for b := a + 1; b < nodes; b++ {
			if b == a+1 || rnd.IntN(100) < 45 {
				f.link(a, b)
				links = append(links, [2]int{a, b})
			}
		}
	}
	runs := make([]atomic.Int32, messages)
	for _, n := range []int{2, 7, 11} {
		f.serve(n, "pay", func(_ context.Context, d *Delivery) (Response, error) {
			runs[binary.BigEndian.Uint32(d.Envelope.Payload)].Add(1)
			return Response{}, nil
		})
	}
	acked := make([]atomic.Bool, messages)
	var next atomic.Int32
	var wg sync.WaitGroup
	cuts := make(chan struct{}, 1)
	for range publishers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= messages {
					return
				}
				if i%50 == 0 {
					select {
					case cuts <- struct{}{}:
					default:
					}
				}
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				_, err := f.nodes[i%nodes].Publish(ctx, Outgoing{To: to("pay"), Payload: binary.BigEndian.AppendUint32(nil, uint32(i))})
				cancel()
				acked[i].Store(err == nil)
			}
		})
	}
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	cutCount := 0
	cutter.Go(func() {
		down := [2]int{-1, -1}
		for {
			select {
			case <-stop:
				return
			case <-cuts:
			}
			if down[0] >= 0 {
				f.link(down[0], down[1])
			}
			down = links[rnd.IntN(len(links))]
			f.cut(down[0], down[1])
			f.until(func() bool {
				return !linked(f.nodes[down[0]], f.nodes[down[1]]) && !linked(f.nodes[down[1]], f.nodes[down[0]])
			}, down[0], down[1])
			cutCount++
		}
	})
	wg.Wait()
	close(stop)
	cutter.Wait()

	good, twice, lost := 0, 0, 0
	for i := range messages {
		n := runs[i].Load()
		if acked[i].Load() {
			good++
			if n != 1 {
				lost++
			}
		}
		if n > 1 {
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		t.Errorf("%d acknowledged messages were not handled once, %d were handled twice", lost, twice)
	}
	var sum struct{ accepted, acked, expired, rejected, inFlight uint64 }
	for _, n := range f.nodes {
		c := n.Counters()
		sum.accepted += c["accepted"]
		sum.acked += c["acked"]
		sum.expired += c["expired"]
		sum.rejected += c["rejected"]
		sum.inFlight += c["in_flight"]
		if c["accepted"] != c["acked"]+c["expired"]+c["rejected"]+c["in_flight"] {
			t.Errorf("counters of %s do not reconcile: %v", n.ID(), c)
		}
	}
	t.Logf("%d of %d acknowledged, %d cuts, %+v", good, messages, cutCount, sum)
	if sum.accepted != messages || sum.acked != uint64(good) {
		t.Errorf("%d accepted and %d acknowledged, want %d and %d", sum.accepted, sum.acked, messages, good)
	}
	if good < messages*99/100 || cutCount < 50 {
		t.Errorf("%d acknowledged with %d cuts", good, cutCount)
	}
}

// A ring of nodes saturated in both directions goes on: nobody's link is held
// by somebody else's.
func TestSaturatedRingDoesNotDeadlock(t *testing.T) {
	const nodes = 6
	rounds := 6
	if testing.Short() {
		rounds = 3
	}
	f := newFabric(t, nodes, func(c *Config) {
		c.Link.Window, c.Link.MaxQueue = 2<<20, 1 // the least
		c.HandlerBytes = 8 << 20
	})
	for i := range nodes {
		f.link(i, (i+1)%nodes)
		f.serve(i, "sink-"+string(rune('a'+i)), func(context.Context, *Delivery) (Response, error) { return Response{}, nil })
	}
	// Everybody knows the providers before the ring is full: a search may take
	// a second at most, and a starved machine has more to do in that second.
	hops := []int{2, 3, 4} // both ways round
	for i := range nodes {
		for _, hop := range hops {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			if _, err := f.nodes[i].Publish(ctx, Outgoing{To: to("sink-" + string(rune('a'+(i+hop)%nodes)))}); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
	}
	var ok, failed atomic.Int64
	var wg sync.WaitGroup
	for i := range nodes {
		for _, hop := range hops {
			for range 4 {
				wg.Go(func() {
					dest := to("sink-" + string(rune('a'+(i+hop)%nodes)))
					for range rounds {
						ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
						_, err := f.nodes[i].Publish(ctx, Outgoing{To: dest, Payload: make([]byte, 400<<10)})
						cancel()
						if err == nil {
							ok.Add(1)
						} else {
							failed.Add(1)
							t.Log(err)
						}
					}
				})
			}
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("stuck: %d ok, %d failed", ok.Load(), failed.Load())
	}
	t.Logf("%d ok, %d failed", ok.Load(), failed.Load())
	if all := int64(nodes * len(hops) * 4 * rounds); ok.Load() < all*9/10 {
		t.Errorf("only %d of %d arrived", ok.Load(), all)
	}
}
