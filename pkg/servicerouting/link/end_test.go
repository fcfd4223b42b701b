package link

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// stopping is a stream that takes n bytes and then fails.
type stopping struct {
	*pipe
	left int
}

var errStopped = errors.New("stream broke")

func (s *stopping) Write(b []byte) (int, error) {
	n, _ := s.pipe.Write(b[:min(len(b), s.left)])
	if s.left -= n; n < len(b) {
		return n, errStopped
	}
	return n, nil
}

// Wherever the stream breaks, Unsent names exactly the frames of which no
// byte was written.
func TestUnsentIsExact(t *testing.T) {
	sizes := []int{76, 200, 40 << 10, 100, 70 << 10, 30 << 10, 150, 33 << 10, 76}
	lanes := []int{3, 2, 3, 3, 2, 3, 2, 2, 3}
	const total = 170 << 10 // less than all of it
	cuts := []int{0, 1, 80, 81, 82, wide}
	for range 60 {
		cuts = append(cuts, rand.IntN(total))
	}
	for _, cut := range cuts {
		synctest.Test(t, func(t *testing.T) {
			s := &stopping{newPipe(wide), cut}
			n := new(note)
			l := New(DefaultConfig(), s, newPipe(1), wide, n)
			for i, size := range sizes {
				send(t, l, lanes[i], uint64(i), size, Item{Local: i%2 == 0})
			}
			done := run(t, l)
			synctest.Wait()
			if cut == wide {
				l.Close(errStopped)
			}
			if err := <-done; !errors.Is(err, errStopped) {
				t.Fatalf("ended with %v", err)
			}
			begun := begunFrames(t, s.buf)
			unsent := n.given(mesh.StatusNotSent)
			all := slices.Concat(begun, unsent)
			slices.Sort(all)
			same(t, "begun and unsent", all, span1(0, uint64(len(sizes)-1)))
		})
	}
}

// begunFrames reads which frames have at least one byte in b; that of a unit
// cut before its sequence number it takes from the lane's order.
func begunFrames(t *testing.T, b []byte) (seqs []uint64) {
	order := map[byte][]uint64{2: {1, 4, 6, 7}, 3: {0, 2, 3, 5, 8}}
	next := func(lane byte) {
		seqs = append(seqs, order[lane][0])
		order[lane] = order[lane][1:]
	}
	for {
		kind, body, n, err := nextUnit(b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		switch {
		case kind == KindFrame:
			seq := binary.BigEndian.Uint64(body[16:])
			next(map[bool]byte{true: 2, false: 3}[slices.Contains(order[2], seq)])
		case body[1]&flagFirst != 0:
			next(body[0])
		}
		b = b[n:]
	}
	switch {
	case len(b) > 6 && Kind(b[4]) == KindFragment && b[6]&flagFirst == 0:
	case len(b) > 0 && len(order[2]) > 0:
		next(2)
	case len(b) > 0:
		next(3)
	}
	return seqs
}

func TestEndReportsAndReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newCouple(t, with(Config{Window: MinWindow}), wide)
		in.bn.hold = true
		send(t, in.a, laneRest, 1, 1<<20, Item{Local: true})
		synctest.Wait()
		out := newRaw(t, DefaultConfig(), 1, wide)
		send(t, out.l, laneRest, 1, 1000, Item{Local: true})
		synctest.Wait()
		send(t, out.l, laneRest, 2, 1<<20, Item{From: in.b, Size: 1 << 20})
		why := errors.New("enough")
		out.l.Close(why)
		if err := <-out.done; err != why {
			t.Errorf("Run gave %v", err)
		}
		same(t, "not sent", out.n.given(mesh.StatusNotSent), []uint64{2})
		synctest.Wait()
		if c := in.a.Stats().Credit; c != MinWindow {
			t.Errorf("%d bytes of credit after the end, want all", c)
		}
		out.l.Close(nil) // again: nothing
		out.l.Answer(&mesh.Answer{})
		out.l.SendBye()
		in.end()
	})
}

// A stream without deadlines is closed to unblock it.
func TestEndClosesWhatHasNoDeadline(t *testing.T) {
	pr, pw := io.Pipe()
	xr, xw := io.Pipe()
	l := New(DefaultConfig(), xw, pr, wide, new(note))
	send(t, l, laneRest, 1, 100, Item{Local: true})
	done := run(t, l)
	if _, err := xr.Read(make([]byte, 1)); err != nil { // the writer is in Write
		t.Fatal(err)
	}
	l.Close(errStopped)
	if err := <-done; err != errStopped {
		t.Errorf("Run gave %v", err)
	}
	if _, err := pw.Write([]byte{1}); err == nil {
		t.Error("the read side is open")
	}
}

func TestBreachesEndTheLink(t *testing.T) {
	unit := func(kind Kind, body ...[]byte) []byte {
		b := slices.Concat(body...)
		return appendUnit(nil, kind, b)
	}
	first := func(lane byte, total uint32, n int) []byte {
		return unit(KindFragment, []byte{lane, flagFirst}, binary.BigEndian.AppendUint32(nil, total), make([]byte, n))
	}
	answer := (&mesh.Answer{Seq: 1, Status: mesh.StatusOK}).Append(nil)
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"no kind":                   {make([]byte, 4), mesh.ErrMalformed},
		"huge unit":                 {[]byte{0xff, 0xff, 0xff, 0xff, byte(KindFrame)}, mesh.ErrTooLarge},
		"unit over 32 KiB":          {binary.BigEndian.AppendUint32(nil, maxUnit-3), mesh.ErrTooLarge},
		"frame over 32 KiB":         {unit(KindFrame, make([]byte, maxBody+1)), mesh.ErrTooLarge},
		"short frame":               {unit(KindFrame, make([]byte, 75)), mesh.ErrMalformed},
		"short credit":              {unit(KindCredit, make([]byte, 7)), mesh.ErrMalformed},
		"long ping":                 {unit(KindPing, make([]byte, 9)), mesh.ErrMalformed},
		"bye with a body":           {unit(KindBye, []byte{1}), mesh.ErrMalformed},
		"no answer in answers":      {unit(KindAnswers), mesh.ErrMalformed},
		"cut answer":                {unit(KindAnswers, answer, answer[:9]), mesh.ErrMalformed},
		"graft that does not parse": {unit(KindGraft, []byte{0xff}), mesh.ErrMalformed},
		"withdraw, the same":        {unit(KindWithdraw, []byte{0xff}), mesh.ErrMalformed},
		"fragment of lane 1":        {first(1, 100, 50), mesh.ErrMalformed},
		"fragment of lane 4":        {first(4, 100, 50), mesh.ErrMalformed},
		"fragment flags":            {unit(KindFragment, []byte{2, 4, 1}), mesh.ErrMalformed},
		"empty fragment":            {unit(KindFragment, []byte{2, 0}), mesh.ErrMalformed},
		"empty first fragment":      {first(2, 100, 0), mesh.ErrMalformed},
		"fragment without a first":  {unit(KindFragment, []byte{2, 0, 1}), mesh.ErrMalformed},
		"first inside a frame":      {slices.Concat(first(2, 100, 50), first(2, 100, 50)), mesh.ErrMalformed},
		"more than the frame":       {slices.Concat(first(2, 100, 50), unit(KindFragment, []byte{2, flagLast}, make([]byte, 51))), mesh.ErrMalformed},
		"less than the frame":       {slices.Concat(first(2, 100, 50), unit(KindFragment, []byte{2, flagLast}, make([]byte, 49))), mesh.ErrMalformed},
		"whole without last":        {first(2, 100, 100), mesh.ErrMalformed},
		"frame over the cap":        {first(2, mesh.MaxFrame+1, 100), mesh.ErrTooLarge},
		"fragment over 32 KiB":      {first(2, mesh.MaxFrame, maxBody+1), mesh.ErrTooLarge},
		"tiny frame in fragments":   {first(2, 75, 10), mesh.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRaw(t, with(Config{Window: MinWindow}), wide, wide)
				r.n.hold = true
				_, _ = r.in.Write(c.in)
				synctest.Wait()
				select {
				case err := <-r.done:
					if !errors.Is(err, c.want) {
						t.Errorf("ended with %v, want %v", err, c.want)
					}
				default:
					t.Error("the link lives")
					_ = r.close()
				}
			})
		})
	}
}

// A stream that ends between units is a neighbour that left; anywhere else
// it is cut off.
func TestTruncatedStream(t *testing.T) {
	var stream []byte
	bounds := map[int]bool{0: true}
	add := func(kind Kind, body []byte, bound bool) {
		stream = appendUnit(stream, kind, body)
		bounds[len(stream)] = bound
	}
	add(KindPing, make([]byte, 8), true)
	add(KindFrame, mesh.AppendFrame(nil, &mesh.HopHeader{}, make([]byte, 20), nil), true)
	add(KindFragment, append([]byte{3, flagFirst, 0, 0, 0, 100}, make([]byte, 60)...), false)
	add(KindAnswers, (&mesh.Answer{Seq: 1}).Append(nil), false)
	add(KindFragment, append([]byte{3, flagLast}, make([]byte, 40)...), true)
	for n := range len(stream) + 1 {
		synctest.Test(t, func(t *testing.T) {
			r := newRaw(t, DefaultConfig(), wide, wide)
			_, _ = r.in.Write(stream[:n])
			_ = r.in.Close()
			want := io.ErrUnexpectedEOF
			if bounds[n] {
				want = io.EOF
			}
			if err := <-r.done; !errors.Is(err, want) {
				t.Errorf("after %d bytes: %v, want %v", n, err, want)
			}
		})
	}
}

// A neighbour that never reads costs a bounded amount and is cut.
func TestNeighbourThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), 1000, wide)
		start := time.Now()
		var busy, held int
		for seq := uint64(1); ; seq++ {
			for _, item := range []Item{{Seq: seq, Local: true}, {Seq: seq}} {
				_, err := r.l.Send(laneRest, &mesh.HopHeader{}, make([]byte, 3000), item)
				if errors.Is(err, mesh.ErrBusy) {
					busy++
				} else if err != nil {
					break
				}
			}
			r.l.Answer(&mesh.Answer{Seq: seq, Body: make([]byte, 5000)})
			r.l.mu.Lock()
			held = max(held, r.l.held+len(r.l.kept)*chunkSize+len(r.l.control)+len(r.l.answers))
			r.l.mu.Unlock()
			time.Sleep(time.Millisecond)
			select {
			case err := <-r.done:
				if !errors.Is(err, mesh.ErrTimeout) {
					t.Errorf("ended with %v", err)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("cut after %s", d)
				}
				if busy == 0 || held > 10<<20 || r.l.Stats().Dropped == 0 {
					t.Errorf("%d busy, %d bytes held, %+v", busy, held, r.l.Stats())
				}
				return
			default:
			}
		}
	})
}

// Local frames that wait among relayed ones that are dropped do not pin more
// memory than the bounds allow.
func TestDroppedFramesCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, MinWindow)
		for range 2 {
			send(t, r.l, laneRest, 0, 1<<20, Item{Local: true})
			synctest.Wait()
		}
		for range 50 {
			for range 10 {
				_, _ = r.l.Send(laneRest, &mesh.HopHeader{}, make([]byte, 30), Item{Local: true})
				for range 30 {
					_, _ = r.l.Send(laneRest, &mesh.HopHeader{}, make([]byte, 30<<10), Item{})
				}
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		r.l.mu.Lock()
		q := &r.l.lanes[1]
		if r.l.held > 2*4<<20+2*chunkSize || len(q.metas) > 2048 {
			t.Errorf("%d bytes held, ring of %d", r.l.held, len(q.metas))
		}
		locals := q.n - q.dead
		r.l.mu.Unlock()
		if b := r.l.Queued(); locals*(102+unitHead+frameCost) != b {
			t.Errorf("%d frames wait with %d bytes", locals, b)
		}
		r.number(KindCredit, wide)
		synctest.Wait()
		if s := r.l.Stats(); s.Queued != 0 || s.FramesOut != uint64(locals+2) {
			t.Errorf("%d local frames waited, then %+v", locals, s)
		}
		_ = r.close()
	})
}

func TestControlThatPilesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, with(Config{MaxControl: 128 << 10}), 10, wide)
		for range (128<<10 + writeSize) / 13 {
			r.number(KindPing, 1)
		}
		synctest.Wait()
		r.number(KindPing, 2)
		r.number(KindPing, 2)
		synctest.Wait()
		select {
		case err := <-r.done:
			if !errors.Is(err, mesh.ErrBusy) {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Errorf("the link lives; %+v", r.l.Stats())
			_ = r.close()
		}
	})
}

// Answers never use up the room that control needs.
func TestAnswersLeaveRoomForControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, with(Config{MaxControl: 128 << 10}), 10, wide)
		for range 200 {
			r.l.Answer(&mesh.Answer{Body: make([]byte, 1000)})
		}
		r.l.Answer(&mesh.Answer{Body: make([]byte, mesh.MaxAnswer)})
		for range 1000 {
			r.number(KindPing, 1)
		}
		synctest.Wait()
		if s := r.l.Stats(); s.Dropped < 2 {
			t.Errorf("stats %+v", s)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
}
