package link

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestFramesArriveWhole(t *testing.T) {
	sizes := []int{76, 1 << 10, maxBody - 1, maxBody, maxBody + 1, 2 * maxBody, 2*maxBody + 1, 300 << 10, mesh.MaxFrame}
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, DefaultConfig(), 10_000)
		for i, n := range sizes {
			send(t, c.a, laneRest, uint64(i), n, Item{Local: true})
			synctest.Wait()
		}
		if len(c.bn.frames) != len(sizes) {
			t.Fatalf("%d frames of %d", len(c.bn.frames), len(sizes))
		}
		for i, n := range sizes {
			got := c.bn.frames[i]
			if len(got) != n || !bytes.Equal(got[mesh.HopHeaderLen:], rest(uint64(i), n-mesh.HopHeaderLen)) {
				t.Errorf("frame of %d bytes came as %d other ones", n, len(got))
			}
			if h, err := mesh.ParseHop(got); err != nil || h.Seq != uint64(i) || h.TTL != 3 {
				t.Errorf("hop header %+v, %v", h, err)
			}
		}
		if s := c.a.Stats(); s.Queued != 0 || s.FramesOut != uint64(len(sizes)) || s.BytesOut != c.b.Stats().BytesIn {
			t.Errorf("sender %+v, receiver %+v", s, c.b.Stats())
		}
		c.end()
	})
}

// A small request passes a large frame of the lower lane, which was begun.
func TestSmallRequestOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), 1000, wide)
		send(t, r.l, laneRest, 1, 1<<20, Item{Local: true})
		synctest.Wait() // it stands in its first Write
		send(t, r.l, laneRest, 2, 100, Item{Local: true})
		send(t, r.l, laneRequest, 3, 100, Item{Local: true})
		r.l.Answer(&mesh.Answer{Seq: 9, Status: mesh.StatusOK})
		r.l.Flush()
		r.l.SendBye()
		r.out.resize(wide)
		kinds, bodies := r.units(t)
		at := slices.Index(kinds, KindBye)
		if at < 1 || at > 3 {
			t.Fatalf("units of kind %v: control waited for more than a Write", kinds)
		}
		for i, k := range kinds {
			want := KindFragment
			switch i {
			case at:
				want = KindBye
			case at + 1:
				want = KindAnswers
			case at + 2, len(kinds) - 1:
				want = KindFrame
			}
			if k != want {
				t.Fatalf("units of kind %v: %d at %d, want %d", kinds, k, i, want)
			}
		}
		if h, _ := mesh.ParseHop(bodies[at+2]); h.Seq != 3 {
			t.Errorf("frame %d passed, want 3", h.Seq)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnswersGoManyInOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, DefaultConfig(), 10)
		send(t, c.a, laneRest, 1, 1000, Item{Local: true})
		synctest.Wait() // the writer is busy with it
		for i := range uint64(5000) {
			c.a.Answer(&mesh.Answer{Seq: i, Status: mesh.StatusOK, Hops: 2, Body: []byte{byte(i)}})
		}
		c.a.Flush()
		c.ab.resize(wide)
		synctest.Wait()
		if n := len(c.bn.answers); n != 5000 {
			t.Fatalf("%d answers", n)
		}
		for i, a := range c.bn.answers {
			if a.Seq != uint64(i) || a.Hops != 2 || len(a.Body) != 1 || a.Body[0] != byte(i) {
				t.Fatalf("answer %d is %+v", i, a)
			}
		}
		if c.ab.writes > 6 || c.ab.largest > writeSize {
			t.Errorf("%d writes, the largest of %d bytes", c.ab.writes, c.ab.largest)
		}
		if b := c.a.Stats().BytesOut; b > 1005+5000*17+10*unitHead {
			t.Errorf("%d bytes for 5000 answers", b)
		}
		c.end()
	})
}

func TestAnnouncementsKeepTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		g, _ := mesh.EncodeGraft("orders")
		w, _ := mesh.EncodeWithdraw("orders")
		frame := mesh.AppendFrame(nil, &mesh.HopHeader{Seq: 1}, make([]byte, 50), nil)
		r.put(KindFrame, frame)
		r.put(KindGraft, g)
		r.put(77, []byte("of a later version"))
		r.put(KindFrame, frame)
		r.put(KindWithdraw, w)
		r.put(KindBye, nil)
		synctest.Wait()
		want := []string{"frame", "graft orders", "frame", "withdraw orders", "bye"}
		if !slices.Equal(r.n.events, want) {
			t.Errorf("events %q, want %q", r.n.events, want)
		}
		if s := r.l.Stats(); s.Unknown != 1 || s.FramesIn != 2 {
			t.Errorf("stats %+v", s)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnnouncementsGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, DefaultConfig(), wide)
		c.a.Graft("x")
		c.a.Graft("")
		synctest.Wait()
		c.a.Withdraw("y")
		c.a.SendBye()
		synctest.Wait()
		if want := []string{"graft x", "graft ", "withdraw y", "bye"}; !slices.Equal(c.bn.events, want) {
			t.Errorf("events %q, want %q", c.bn.events, want)
		}
		c.end()
	})
}

func TestCreditStopsAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, with(Config{Window: MinWindow}), wide)
		c.bn.hold = true
		const size = 64 << 10
		for i := range uint64(40) {
			send(t, c.a, laneRest, i, size, Item{Local: true})
		}
		synctest.Wait()
		if n := len(c.bn.seqs()); n != MinWindow/size {
			t.Fatalf("%d frames of %d bytes came on a window of %d", n, size, MinWindow)
		}
		if s := c.a.Stats(); s.Credit != 0 {
			t.Errorf("stats %+v", s)
		}
		time.Sleep(2 * time.Second) // local frames wait, the link lives
		c.b.Release(MinWindow/4 - 1)
		synctest.Wait()
		if n := len(c.bn.seqs()); n != MinWindow/size {
			t.Errorf("%d frames before a quarter of the window is owed", n)
		}
		c.b.Release(1)
		synctest.Wait()
		same(t, "frames", c.bn.seqs(), span1(0, 39))
		c.end()
	})
}

// A neighbour that answers pings and grants nothing, while frames wait for
// it, is cut as one that reads nothing is.
func TestNoCreditEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, with(Config{Window: MinWindow}), wide)
		c.bn.hold = true
		for i := range uint64(40) {
			send(t, c.a, laneRest, i, 64<<10, Item{Local: true})
		}
		begin := time.Now()
		<-c.a.done
		if d := time.Since(begin); d != 3*time.Second || !errors.Is(c.a.err, mesh.ErrTimeout) {
			t.Errorf("the link ended after %v: %v", d, c.a.err)
		}
		c.end()
	})
}

// One that grants little at a time, too little yet for the frame that waits,
// is slow, and not cut.
func TestLittleCreditKeepsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, MinWindow)
		for i := range uint64(3) {
			send(t, r.l, laneRest, i, 1<<20, Item{Local: true})
		}
		for i := range uint64(20) {
			time.Sleep(500 * time.Millisecond)
			r.number(KindCredit, MinWindow+(i+1)*(1<<20)/20+1)
		}
		synctest.Wait()
		if s := r.l.Stats(); s.FramesOut != 3 || s.Suspects != 0 {
			t.Errorf("stats %+v", s)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

// While a large frame waits for credit, small ones of the lower lane do not
// eat it up; and what was begun ends.
func TestSmallFramesDoNotStarveALargeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, with(Config{Window: MinWindow}), wide)
		c.bn.hold = true
		send(t, c.a, laneRest, 1, 1<<20, Item{Local: true})
		synctest.Wait()
		send(t, c.a, laneRequest, 2, 1<<20+1, Item{Local: true})
		send(t, c.a, laneRest, 3, 100, Item{Local: true})
		synctest.Wait()
		same(t, "frames", c.bn.seqs(), []uint64{1})
		c.b.Release(1 << 20)
		synctest.Wait()
		same(t, "frames", c.bn.seqs(), []uint64{1, 2, 3})
		c.end()
	})
}

func TestTooLittleCreditIsRefused(t *testing.T) {
	l := New(DefaultConfig(), newPipe(1), newPipe(1), MinWindow-1, new(note))
	if err := l.Run(); !errors.Is(err, mesh.ErrMalformed) {
		t.Errorf("Run gave %v", err)
	}
}

func TestSendRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := make(chan struct{}, 10)
		cfg := with(Config{OnRoom: func() { room <- struct{}{} }, MaxQueue: 2 << 20})
		r := newRaw(t, cfg, 10, wide)
		hop := &mesh.HopHeader{}
		if _, err := r.l.Send(laneRest, hop, make([]byte, mesh.MaxFrame), Item{}); !errors.Is(err, mesh.ErrTooLarge) {
			t.Errorf("a frame over the cap: %v", err)
		}
		n := 0
		for ; ; n++ {
			_, err := r.l.Send(laneRest, hop, make([]byte, 100<<10), Item{Local: true})
			if errors.Is(err, mesh.ErrBusy) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if n < 18 || r.l.Queued() > 2<<20 {
			t.Errorf("%d frames and %d bytes before busy", n, r.l.Queued())
		}
		r.l.SetMaxQueue(4 << 20)
		synctest.Wait()
		if len(room) != 1 {
			t.Errorf("OnRoom called %d times after the queue was made larger, want 1", len(room))
		}
		for ; ; n++ {
			if _, err := r.l.Send(laneRest, hop, make([]byte, 100<<10), Item{Local: true}); err != nil {
				break
			}
		}
		r.l.Flush()
		for r.l.Queued() > 2<<20 {
			if len(room) != 1 {
				t.Fatal("OnRoom called while the queue is more than half full")
			}
			r.out.resize(chunkSize)
			r.units(t)
		}
		synctest.Wait()
		if len(room) != 2 {
			t.Errorf("OnRoom called %d times, want 2", len(room))
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
		if _, err := r.l.Send(laneRest, hop, make([]byte, 100), Item{}); !errors.Is(err, mesh.ErrNotSent) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A frame that came by one link and goes out by another gives its credit back
// once it has been written.
func TestRelayReturnsCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newCouple(t, with(Config{Window: MinWindow}), wide)
		in.bn.hold = true
		out := newRaw(t, DefaultConfig(), 1, wide)
		for i := range uint64(8) {
			send(t, in.a, laneRest, i, 256<<10, Item{Local: true})
		}
		synctest.Wait()
		for i := range uint64(8) {
			send(t, out.l, laneRest, i, 256<<10, Item{From: in.b, Size: 256 << 10})
			if i == 0 {
				synctest.Wait() // it stands in Write
			}
		}
		if c := in.a.Stats().Credit; c != 0 {
			t.Fatalf("%d bytes of credit before anything left", c)
		}
		time.Sleep(100 * time.Millisecond) // all but the begun one are busy
		synctest.Wait()
		same(t, "busy", out.n.given(mesh.StatusBusy), span1(1, 7))
		if c := in.a.Stats().Credit; c < 6*256<<10 {
			t.Errorf("%d bytes of credit, want that of 6 frames at least", c)
		}
		if err := out.close(); err != nil {
			t.Error(err)
		}
		in.b.Release(MinWindow) // more than came in counts for nothing
		synctest.Wait()
		if c := in.a.Stats().Credit; c > MinWindow {
			t.Errorf("%d bytes of credit on a window of %d", c, MinWindow)
		}
		in.end()
	})
}
