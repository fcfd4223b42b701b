package servicerouting

import (
	"context"
	"crypto/rand"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/internal/pipe"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// A hundred neighbours that never read, at a node that sends to them: the
// node's memory stays bounded, they are cut within five seconds, and a healthy
// pair beside them hardly notices.
func TestNeverReadingNeighbours(t *testing.T) {
	debug.FreeOSMemory() // what the tests before left
	f := newFabric(t, 2, nil)
	f.link(0, 1)
	f.serve(1, "echo", echo)
	hub := f.nodes[0]
	request := func() time.Duration {
		start := time.Now()
		if _, err := hub.Publish(ctxFor(t, 10*time.Second), Outgoing{To: to("echo"), Request: true, Payload: make([]byte, 100)}); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	var worst time.Duration
	p99 := func(n int, until func() bool) time.Duration {
		var d []time.Duration
		for len(d) < n || !until() {
			d = append(d, request())
		}
		slices.Sort(d)
		worst = d[len(d)-1]
		return d[len(d)*99/100]
	}
	p99(500, func() bool { return true }) // warm
	baseline := p99(2000, func() bool { return true })

	var wg sync.WaitGroup
	ended := make(chan time.Duration, 100)
	begun := time.Now()
	for range 100 {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		out, in := pipe.New(16<<10), pipe.New(16<<10)
		wg.Go(func() {
			_ = hub.AddLink(id, out, in, 64<<20) // they promise to take much, and read nothing
			ended <- time.Since(begun)
		})
	}
	f.until(func() bool { return len(hub.Neighbours()) == 101 || len(ended) > 0 }, 0)

	// The node floods 20 messages of 32 KiB a second: every neighbour is to get
	// every one.
	stop := make(chan struct{})
	flooded := 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			_ = hub.PublishAll(ctx, Outgoing{To: to("news"), Class: mesh.ClassFire, Payload: make([]byte, 32<<10)}, func(Result) bool { return true })
			cancel()
			flooded++
			pause := time.NewTimer(50 * time.Millisecond)
			select {
			case <-stop:
			case <-pause.C:
			}
			pause.Stop()
		}
	})
	peak, peakQueued := uint64(0), 0
	wg.Go(func() { // a sample every 20 ms
		every := time.NewTicker(20 * time.Millisecond)
		defer every.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak, peakQueued = max(peak, m.HeapInuse), max(peakQueued, hub.Queued())
			select {
			case <-stop:
				return
			case <-every.C:
			}
		}
	})
	loaded := p99(2000, func() bool { return len(ended) == 100 })
	worstBeside := worst
	close(stop)
	wg.Wait()
	// The machine's own noise is in both halves of the baseline.
	baseline = max(baseline, p99(2000, func() bool { return true }))
	var last time.Duration
	for range 100 {
		last = max(last, <-ended)
	}
	t.Logf("p99 %v alone, %v beside them (%.2f), %v at worst; heap at most %d MiB, %d MiB queued; the last was cut after %v; %d floods",
		baseline, loaded, float64(loaded)/float64(baseline), worstBeside, peak>>20, peakQueued>>20, last, flooded)
	if peak > 128<<20 {
		t.Errorf("heap reached %d MiB, want at most 128", peak>>20)
	}
	if last > 5*time.Second {
		t.Errorf("the last never-reading neighbour was cut after %v, want 5 s", last)
	}
	if peakQueued > hub.cfg.Resume+(2<<20) {
		t.Errorf("%d MiB queued, want at most %d: floods pause nobody", peakQueued>>20, hub.cfg.Resume>>20)
	}
	// The aim is 1.5. Other packages' tests run beside this one, so that only
	// much more is a failure; .ci/run prints the figures taken alone.
	if !raceEnabled && float64(loaded) > 3*float64(baseline) {
		t.Errorf("the pair's p99 went from %v to %v, far from 1.5 times", baseline, loaded)
	}
}
