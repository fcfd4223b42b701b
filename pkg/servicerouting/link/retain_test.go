package link

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// kept checks whether a frame of n bytes can be had again.
func kept(t *testing.T, l *Link, ref Ref, seq uint64, n int, want bool) {
	t.Helper()
	got, ok := l.Retained(ref, []byte("x"))
	switch {
	case ok != want:
		t.Errorf("frame %d is kept: %v, want %v", seq, ok, want)
	case !ok && string(got) != "x":
		t.Errorf("frame %d: %d bytes of something gone", seq, len(got))
	case ok && (got[0] != 'x' || !bytes.Equal(got[1:], rest(seq, n-mesh.HopHeaderLen))):
		t.Errorf("frame %d came back as %d other bytes", seq, len(got)-1)
	}
}

func TestRetained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		sizes := []int{76, 1000, maxBody, maxBody + 1, 3 * maxBody, 100}
		var refs []Ref
		for i, n := range sizes {
			refs = append(refs, send(t, r.l, laneRest, uint64(i), n, Item{}))
			kept(t, r.l, refs[i], uint64(i), n, true) // not written yet
		}
		synctest.Wait()
		for i, n := range sizes {
			kept(t, r.l, refs[i], uint64(i), n, true)
		}
		other := send(t, r.l, laneRequest, 9, 80<<10, Item{})
		kept(t, r.l, other, 9, 80<<10, true)
		kept(t, r.l, Ref{}, 0, 76, false)
		time.Sleep(retainFor + 3*time.Second)
		synctest.Wait()
		for i, n := range sizes {
			kept(t, r.l, refs[i], uint64(i), n, false)
		}
		r.l.mu.Lock()
		if len(r.l.kept) > 0 || r.l.held > 0 || r.l.lanes[0].tail != nil || r.l.lanes[1].tail != nil {
			t.Errorf("an idle link keeps %d chunks and holds %d bytes", len(r.l.kept), r.l.held)
		}
		r.l.mu.Unlock()
		_ = r.close()
	})
}

// What was pushed out is gone, what was sent last is there, and the memory
// is that of RetainBytes and the chunk being filled.
func TestRetainedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), wide, wide)
		const size = 10 << 10
		var refs []Ref
		for i := range uint64(1000) {
			refs = append(refs, send(t, r.l, laneRest, i, size, Item{}))
			synctest.Wait()
			r.l.mu.Lock()
			if len(r.l.kept) > 4 || r.l.held > chunkSize {
				t.Fatalf("%d chunks kept, %d bytes held", len(r.l.kept), r.l.held)
			}
			r.l.mu.Unlock()
		}
		for i, ref := range refs {
			if i < 970 || i > 980 {
				kept(t, r.l, ref, uint64(i), size, i > 975)
			}
		}
		_ = r.close()
	})
}

func TestRetainedAfterDropAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRaw(t, DefaultConfig(), 1, wide)
		send(t, r.l, laneRest, 1, 1000, Item{Local: true})
		synctest.Wait()
		dropped := send(t, r.l, laneRest, 2, 40<<10, Item{})
		time.Sleep(200 * time.Millisecond)
		same(t, "busy", r.n.given(mesh.StatusBusy), []uint64{2})
		unsent := send(t, r.l, laneRest, 3, 50<<10, Item{})
		_ = r.close()
		same(t, "not sent", r.n.given(mesh.StatusNotSent), []uint64{3})
		kept(t, r.l, dropped, 2, 40<<10, true)
		kept(t, r.l, unsent, 3, 50<<10, true)
	})
}
