package link

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestRelayedFrameIsBusyAt100ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, MinWindow)
		for i := range uint64(2) { // the credit is used up
			send(t, r.l, laneRest, i, 1<<20, Item{Local: true})
		}
		synctest.Wait()
		send(t, r.l, laneRest, 2, 1000, Item{Local: true})
		send(t, r.l, laneRest, 3, 1000, Item{})
		send(t, r.l, laneRequest, 4, 1000, Item{})
		time.Sleep(50 * time.Millisecond)
		send(t, r.l, laneRest, 5, 1000, Item{})
		time.Sleep(50*time.Millisecond - 1)
		synctest.Wait()
		if len(r.n.given(mesh.StatusBusy)) != 0 {
			t.Fatalf("unsent before the time: %v", r.n.given(mesh.StatusBusy))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "busy at 100 ms", r.n.given(mesh.StatusBusy), []uint64{4, 3})
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		same(t, "busy at 150 ms", r.n.given(mesh.StatusBusy), []uint64{4, 3, 5})
		r.number(KindCredit, MinWindow+1000)
		synctest.Wait()
		if s := r.l.Stats(); s.Queued != 0 || s.Busy != 3 || s.FramesOut != 3 {
			t.Errorf("stats %+v", s)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

// The age of a relayed frame is that of the batch it came in.
func TestRelayedFrameIsAsOldAsItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newRaw(t, DefaultConfig(), wide, wide)
		out := newRaw(t, DefaultConfig(), 0, wide)
		send(t, out.l, laneRest, 1, 100, Item{Local: true})
		in.n.onFrames = func() {
			time.Sleep(60 * time.Millisecond)
			send(t, out.l, laneRest, 2, 1000, Item{From: in.l, Size: 76})
		}
		in.put(KindFrame, mesh.AppendFrame(nil, &mesh.HopHeader{}, nil, nil))
		time.Sleep(100*time.Millisecond - 1)
		synctest.Wait()
		if len(out.n.given(mesh.StatusBusy)) != 0 {
			t.Fatalf("unsent before the time: %v", out.n.given(mesh.StatusBusy))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "busy", out.n.given(mesh.StatusBusy), []uint64{2})
		_, _ = in.close(), out.close()
	})
}

// still runs a link that stands still in some way from a moment on, and
// checks that it is suspect 1 s and cut 3 s after that.
func still(t *testing.T, setup func(r *raw) (since time.Time)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), chunkSize, wide)
		synctest.Wait()
		since := setup(r)
		err := <-r.done
		if !errors.Is(err, mesh.ErrTimeout) {
			t.Fatalf("ended with %v", err)
		}
		if d := time.Since(since); d != 3*time.Second {
			t.Errorf("cut after %s, want 3s", d)
		}
		if !slices.Equal(r.n.suspects, []bool{true}) {
			t.Fatalf("suspect: %v", r.n.suspects)
		}
		if d := r.n.at[0].Sub(since); d != time.Second {
			t.Errorf("suspect after %s, want 1s", d)
		}
		time.Sleep(5 * time.Second) // whatever setup started has ended
	})
}

func TestSilenceWithFramesInFlight(t *testing.T) {
	still(t, func(r *raw) time.Time {
		send(t, r.l, laneRest, 1, 100, Item{Local: true})
		r.l.InFlight(1)
		return time.Now()
	})
}

func TestNeighbourThatStopsReading(t *testing.T) {
	still(t, func(r *raw) time.Time {
		send(t, r.l, laneRest, 1, 1<<20, Item{Local: true})
		synctest.Wait() // one Write is done, the next one stands
		return time.Now()
	})
}

// The neighbour sends and never answers anything: its own traffic does not
// save it. The PING goes out a quarter of a second after the frame.
func TestNeighbourThatOnlyTalks(t *testing.T) {
	still(t, func(r *raw) time.Time {
		r.l.InFlight(1)
		frame := mesh.AppendFrame(nil, &mesh.HopHeader{}, nil, nil)
		go func() {
			for range 400 {
				r.put(KindFrame, frame)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		return time.Now().Add(250 * time.Millisecond)
	})
}

// Nor do its PINGs.
func TestNeighbourThatOnlyPings(t *testing.T) {
	still(t, func(r *raw) time.Time {
		r.l.InFlight(1)
		go func() {
			for i := range uint64(400) {
				r.number(KindPing, i)
				time.Sleep(10 * time.Millisecond)
			}
		}()
		return time.Now().Add(250 * time.Millisecond)
	})
}

// While frames are in flight and nothing else comes, one PING follows a
// quarter of a second after the PONG of the one before.
func TestPingsFollowPongs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		synctest.Wait()
		r.l.InFlight(1)
		for i := range 4 {
			time.Sleep(250 * time.Millisecond)
			kinds, bodies := r.units(t)
			if !slices.Equal(kinds, []Kind{KindPing}) {
				t.Fatalf("units %v after %d quarters of a second, want a PING", kinds, i+1)
			}
			r.put(KindPong, bodies[0])
			synctest.Wait()
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

func TestIdleLinkThatDies(t *testing.T) {
	still(t, func(r *raw) time.Time { return time.Now().Add(5 * time.Second) })
}

func TestSuspicionEndsWithProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		synctest.Wait()
		start := time.Now()
		r.l.InFlight(1)
		time.Sleep(2 * time.Second)
		kinds, bodies := r.units(t)
		if !slices.Equal(kinds, []Kind{KindPing}) {
			t.Fatalf("units %v, want one PING", kinds)
		}
		if !r.l.Stats().Suspect {
			t.Error("not suspect after 2 s")
		}
		r.put(KindPong, bodies[0])
		synctest.Wait()
		if s := r.l.Stats(); s.Suspect || s.Suspects != 1 || s.RTT != 1750*time.Millisecond {
			t.Errorf("after the PONG: %+v", s)
		}
		if !slices.Equal(r.n.suspects, []bool{true, false}) || r.n.at[1].Sub(start) != 2*time.Second {
			t.Errorf("suspect %v at %v", r.n.suspects, r.n.at)
		}
		r.l.InFlight(-1)
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

func TestIdleLinkIsProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		for i := range 10 {
			time.Sleep(5*time.Second - time.Duration(min(i, 1))*40*time.Millisecond)
			kinds, bodies := r.units(t)
			if !slices.Equal(kinds, []Kind{KindPing}) {
				t.Fatalf("units %v after %d times 5 s, want a PING", kinds, i+1)
			}
			time.Sleep(40 * time.Millisecond)
			r.put(KindPong, bodies[0])
		}
		synctest.Wait()
		if s := r.l.Stats(); s.RTT != 40*time.Millisecond || s.Suspects != 0 || !s.LastRecv.Equal(time.Now()) {
			t.Errorf("stats %+v", s)
		}
		r.number(KindPing, 42)
		if kinds, bodies := r.units(t); !slices.Equal(kinds, []Kind{KindPong}) || bodies[0][7] != 42 {
			t.Errorf("a PING was answered by %v %v", kinds, bodies)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}

// Two idle links keep each other alive; so does slow work with frames in
// flight, as long as PINGs are answered.
func TestLiveLinkIsNotSuspected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCouple(t, DefaultConfig(), wide)
		time.Sleep(time.Minute)
		c.a.InFlight(3)
		time.Sleep(time.Minute)
		for _, s := range []Stats{c.a.Stats(), c.b.Stats()} {
			if s.Suspects != 0 {
				t.Errorf("stats %+v", s)
			}
		}
		c.end()
	})
}

// A slow stream is not a dead one: the PONG stands behind megabytes, but
// CREDIT shows that they are being read.
func TestSlowLinkIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 256 << 10 // bytes in a second
		fast, slow, back := newPipe(3<<20), newPipe(wide), newPipe(wide)
		pump := make(chan struct{})
		go func() {
			defer close(pump)
			b := make([]byte, 8<<10)
			for {
				n, err := fast.Read(b)
				if err != nil {
					return
				}
				time.Sleep(time.Duration(n) * time.Second / rate)
				_, _ = slow.Write(b[:n])
			}
		}()
		an, bn := new(note), new(note)
		a, b := New(DefaultConfig(), fast, back, 4<<20, an), New(DefaultConfig(), back, slow, 4<<20, bn)
		aDone, bDone := run(t, a), run(t, b)
		for i := range uint64(50) {
			send(t, a, laneRest, i, 60<<10, Item{Local: true})
		}
		a.InFlight(50)
		time.Sleep(50 * (60 << 10) * time.Second / rate)
		synctest.Wait()
		if n := len(bn.seqs()); n < 49 {
			t.Errorf("%d frames of 50; sender: %+v", n, a.Stats())
		}
		if s := a.Stats(); s.Suspects != 0 {
			t.Errorf("sender: %+v", s)
		}
		a.Close(nil)
		b.Close(nil)
		_ = fast.Close()
		end(aDone, bDone)
		<-pump
	})
}

// What this node itself holds up is not the neighbour's fault.
func TestOwnPausesAreExcused(t *testing.T) {
	t.Run("handler", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCouple(t, DefaultConfig(), wide)
			c.bn.onFrames = func() { time.Sleep(4 * time.Second) }
			c.b.InFlight(1)
			send(t, c.a, laneRest, 1, 100, Item{Local: true})
			time.Sleep(10 * time.Second)
			if s := c.b.Stats(); s.Suspects != 0 {
				t.Errorf("the link was suspect while its own handler worked")
			}
			c.end()
		})
	})
	t.Run("process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var jump atomic.Int64
			r := newRaw(t, with(Config{Now: func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }}), wide, wide)
			synctest.Wait()
			r.l.InFlight(1)
			synctest.Wait()
			jump.Store(int64(time.Hour))
			time.Sleep(250 * time.Millisecond)
			_, bodies := r.units(t)
			select {
			case err := <-r.done:
				t.Fatalf("ended at once after the pause: %v", err)
			default:
			}
			time.Sleep(900 * time.Millisecond)
			r.put(KindPong, bodies[0])
			r.l.InFlight(-1)
			synctest.Wait()
			if s := r.l.Stats(); s.Suspects != 0 {
				t.Errorf("suspect after the pause")
			}
			if err := r.close(); err != nil {
				t.Error(err)
			}
		})
	})
}
