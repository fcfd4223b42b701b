package link

import (
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// relay is a Handler that passes frames on to a next link and releases, like
// a node in the middle.
type relay struct {
	counter
	next            *Link
	passed, refused atomic.Int64
	unsent          atomic.Int64
	bytes           atomic.Int64
}

func (r *relay) Frames(l *Link, batch []Frame) {
	for _, f := range batch {
		r.bytes.Add(int64(f.Size))
		if r.next == nil {
			l.Release(f.Size)
			continue
		}
		raw, err := mesh.ParseHop(f.Bytes)
		if err != nil {
			panic(err)
		}
		lane := laneRest - int(raw.Seq%2)
		if _, err := r.next.Send(lane, &raw.HopHeader, f.Bytes[mesh.HopHeaderLen:], Item{Seq: raw.Seq, From: l, Size: f.Size}); err != nil {
			r.refused.Add(1)
			l.Release(f.Size)
			continue
		}
		r.passed.Add(1)
	}
	r.frames.Add(int64(len(batch)))
	if r.next != nil {
		r.next.Flush()
	}
}

func (r *relay) Answers(*Link, []mesh.Answer) {}

func (r *relay) Unsent(_ *Link, items []Item, _ mesh.Status) { r.unsent.Add(int64(len(items))) }

// Over loopback TCP, through a node in the middle, with publishers that race
// and frames of all sizes: every frame arrives, is refused or is reported,
// and all credit comes home.
func TestEveryFrameIsAccountedFor(t *testing.T) {
	ax, xa := loopback(t)
	xb, bx := loopback(t)
	cfg := with(Config{Window: MinWindow, MaxQueue: minQueue})
	room := make(chan struct{}, 1)
	roomy := cfg
	roomy.OnRoom = func() {
		select {
		case room <- struct{}{}:
		default:
		}
	}
	src, mid, back, dst := new(relay), new(relay), new(relay), new(relay)
	out := New(cfg, xb, xb, MinWindow, back)
	mid.next = out
	in := New(cfg, xa, xa, MinWindow, mid)
	a := New(roomy, ax, ax, MinWindow, src)
	b := New(cfg, bx, bx, MinWindow, dst)
	var links, senders sync.WaitGroup
	for _, l := range []*Link{a, in, out, b} {
		links.Go(func() { _ = l.Run() })
	}
	var sent atomic.Int64
	for s := range uint64(3) {
		senders.Go(func() {
			rnd := rand.New(rand.NewPCG(s, 1))
			for range 1500 {
				size := 4 + rnd.IntN(2000)
				if rnd.IntN(50) == 0 {
					size = rnd.IntN(mesh.MaxFrame-mesh.HopHeaderLen-4) + 4
				}
				hop, body := mesh.HopHeader{Seq: rnd.Uint64()}, make([]byte, size)
				for {
					_, err := a.Send(laneRest-rnd.IntN(2), &hop, body, Item{Local: true})
					a.Flush()
					if err == nil {
						sent.Add(1)
						break
					}
					if err != mesh.ErrBusy {
						t.Error(err)
						return
					}
					select {
					case <-room:
					case <-time.After(time.Millisecond): // another sender took the word
					}
					a.Answer(&mesh.Answer{Seq: 1, Status: mesh.StatusOK})
				}
			}
		})
	}
	senders.Wait()
	deadline := time.After(30 * time.Second)
	settled := func() bool {
		return mid.frames.Load() == sent.Load() &&
			dst.frames.Load()+back.unsent.Load() == mid.passed.Load() &&
			a.Stats().Credit+cfg.Window/4 > cfg.Window && out.Stats().Credit+cfg.Window/4 > cfg.Window
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !settled() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("sent %d, middle got %d, passed %d, refused %d, unsent %d, arrived %d; credit %d and %d", sent.Load(), mid.frames.Load(),
				mid.passed.Load(), mid.refused.Load(), back.unsent.Load(), dst.frames.Load(), a.Stats().Credit, out.Stats().Credit)
		}
	}
	if mid.refused.Load()+mid.passed.Load() != mid.frames.Load() {
		t.Error("the middle lost count")
	}
	for _, l := range []*Link{a, in, out, b} {
		if s := l.Stats(); s.Queued != 0 {
			t.Errorf("%+v", s)
		}
		l.Close(nil)
	}
	links.Wait()
	for _, c := range []io.Closer{ax, xa, xb, bx} {
		_ = c.Close()
	}
}

// In steady state a frame costs no allocation, from Send to Release, and its
// answer none.
func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget on purpose")
	}
	x, y := inMemory(t)
	got := make(chan int, 1)
	l := New(DefaultConfig(), x, x, 4<<20, &signal{got: got})
	z := New(DefaultConfig(), y, y, 4<<20, &signal{answer: true})
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.Run() })
	wg.Go(func() { _ = z.Run() })
	for _, size := range []int{100, 1 << 10, 40 << 10} {
		body := make([]byte, size)
		hop := mesh.HopHeader{TTL: 1}
		n := testing.AllocsPerRun(2000, func() {
			for i := range uint64(8) {
				if _, err := l.Send(laneRequest, &hop, body, Item{Seq: i, Local: true}); err != nil {
					t.Error(err)
				}
			}
			l.Flush()
			for seen := 0; seen < 8; {
				seen += <-got
			}
		})
		if n >= 1 {
			t.Errorf("%v allocations for 8 frames of %d bytes and their answers", n, size)
		}
	}
	l.Close(nil)
	z.Close(nil)
	wg.Wait()
}

// signal tells of answers; with answer, it gives one to each frame.
type signal struct {
	counter
	got    chan int
	answer bool
}

func (s *signal) Frames(l *Link, batch []Frame) {
	for i := range batch {
		l.Release(batch[i].Size)
		if s.answer {
			l.Answer(&mesh.Answer{Status: mesh.StatusOK})
		}
	}
	l.Flush()
}

func (s *signal) Answers(_ *Link, batch []mesh.Answer) { s.got <- len(batch) }
