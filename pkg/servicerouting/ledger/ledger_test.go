package ledger

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

var start = time.Unix(1_800_000_000, 0)

func key(n uint64) Key {
	k := Key{Service: "orders", Origin: "origin"}
	binary.BigEndian.PutUint64(k.ID[8:], n)
	return k
}

// begin fails the test unless the verdict is the wanted one.
func begin(t *testing.T, l *Ledger, now time.Time, k Key, want Verdict) Result {
	t.Helper()
	v, r, redelivered := l.Begin(now, k, now.Add(time.Minute))
	if v != want || redelivered {
		t.Fatalf("Begin = %v, redelivered %v; want %v, false", v, redelivered, want)
	}
	return r
}

func TestLife(t *testing.T) {
	ok := Result{Status: mesh.StatusOK, Payload: []byte("reply"), ContentType: "text/plain", Headers: map[string]string{"a": "b"}}
	bad := Result{Status: mesh.StatusHandlerFailed, Detail: "no stock"}
	for _, tt := range []struct {
		name      string
		result    Result
		retryable bool
		then      Verdict
	}{
		{"a reply is given again", ok, false, Again},
		{"a bare status is given again", Result{Status: mesh.StatusOK}, false, Again},
		{"a redelivered run stays marked", Result{Status: mesh.StatusOK, Redelivered: true}, false, Again},
		{"a failure for good is given again", bad, false, Again},
		{"a retryable failure clears the entry", Result{Status: mesh.StatusBusy}, true, Begin},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := New(Config{})
			begin(t, l, start, key(1), Begin)
			begin(t, l, start, key(1), Wait)
			l.Finish(start, key(1), tt.result, tt.retryable)
			got := begin(t, l, start, key(1), tt.then)
			if want := tt.result; tt.then == Again && fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("result = %+v, want %+v", got, want)
			}
		})
	}
}

func TestKeysAreDistinct(t *testing.T) {
	l := New(Config{})
	id := key(1).ID
	for _, k := range []Key{
		{"orders", "a", id},
		{"orders", "b", id},
		{"order", "sa", id}, // the same letters, cut elsewhere
		{"bills", "a", id},
		{"orders", "a", key(2).ID},
	} {
		begin(t, l, start, k, Begin)
	}
}

func TestFinishOfNobody(t *testing.T) {
	l := New(Config{})
	l.Finish(start, key(1), Result{Status: mesh.StatusOK}, false)
	begin(t, l, start, key(1), Begin)
	l.Finish(start, key(1), Result{Status: mesh.StatusOK}, false)
	l.Finish(start, key(1), Result{Status: mesh.StatusHandlerFailed}, true)
	if r := begin(t, l, start, key(1), Again); r.Status != mesh.StatusOK {
		t.Errorf("a second Finish changed the result to %v", r.Status)
	}
}

func TestSweepAtTheSecond(t *testing.T) {
	expires := start.Add(time.Minute + time.Millisecond)
	forget := start.Add(5*time.Minute + time.Second) // rounded up, never down
	l := New(Config{})
	l.Begin(start, key(1), expires)
	l.Begin(start, key(2), expires)
	l.Begin(start, key(3), expires.Add(time.Hour))
	l.Finish(start, key(2), Result{Status: mesh.StatusOK, Detail: "x"}, false)
	if n := l.Sweep(forget.Add(-time.Nanosecond), 10); n != 0 {
		t.Errorf("%d entries were forgotten before expiry and grace", n)
	}
	if n := l.Sweep(forget, 1); n != 1 {
		t.Errorf("Sweep of at most 1 forgot %d", n)
	}
	if n := l.Sweep(forget, 10); n != 1 {
		t.Errorf("second Sweep forgot %d, want 1", n)
	}
	if s := l.Stats(); s.Entries != 1 || s.Running != 1 || s.Results != 0 || s.Swept != 2 {
		t.Errorf("stats = %+v", s)
	}
}

// TestClearInAnyOrder clears two of three that share a second; the third must
// still be found when it is due.
func TestClearInAnyOrder(t *testing.T) {
	for left := range uint64(3) {
		for _, swap := range []bool{false, true} {
			l := New(Config{})
			for n := range uint64(3) {
				begin(t, l, start, key(n), Begin)
			}
			a, b := (left+1)%3, (left+2)%3
			if swap {
				a, b = b, a
			}
			l.Finish(start, key(a), Result{}, true)
			l.Finish(start, key(b), Result{}, true)
			if n := l.Sweep(start.Add(time.Hour), 10); n != 1 {
				t.Errorf("cleared %d, then %d: Sweep forgot %d, want 1", a, b, n)
			}
		}
	}
}

func TestFullIsBusy(t *testing.T) {
	l := New(Config{MaxEntries: 2})
	begin(t, l, start, key(1), Begin)
	l.Finish(start, key(1), Result{Status: mesh.StatusOK}, false)
	begin(t, l, start, key(2), Begin)
	begin(t, l, start, key(3), Busy)
	begin(t, l, start, key(1), Again) // what is known stays known
	begin(t, l, start.Add(5*time.Minute), key(3), Begin)
	if s := l.Stats(); s.Entries != 1 || s.Refused != 1 || s.Swept != 2 {
		t.Errorf("stats = %+v", s)
	}
}

func TestBytesRunOut(t *testing.T) {
	room := scopeCost("orders", "origin") + 3*entryCost
	l := New(Config{MaxBytes: room})
	for n := range uint64(3) {
		begin(t, l, start, key(n), Begin)
	}
	begin(t, l, start, key(3), Busy)
	if got := l.Stats().Bytes; got != room {
		t.Errorf("Bytes = %d, want %d", got, room)
	}
}

func TestResultsGiveWay(t *testing.T) {
	reply := Result{Status: mesh.StatusOK, Payload: make([]byte, 1000)}
	room := scopeCost("orders", "origin") + 4*entryCost + 2*resultCost(&reply)
	l := New(Config{MaxBytes: room})
	for n := range uint64(3) {
		begin(t, l, start, key(n), Begin)
		l.Finish(start, key(n), reply, false)
	}
	if r := begin(t, l, start, key(0), Again); r.Status != mesh.StatusUnknown || r.Detail == "" || r.Payload != nil {
		t.Errorf("the oldest reply did not give way: %v, %d bytes", r.Status, len(r.Payload))
	}
	for n := uint64(1); n < 3; n++ {
		if r := begin(t, l, start, key(n), Again); r.Status != mesh.StatusOK || len(r.Payload) != 1000 {
			t.Errorf("reply %d gave way: %v, %d bytes", n, r.Status, len(r.Payload))
		}
	}
	for n := uint64(3); n < 6; n++ { // entries push out results, not entries
		begin(t, l, start, key(n), Begin)
	}
	s := l.Stats()
	if s.Entries != 6 || s.Results != 1 || s.Dropped != 2 || s.Bytes > room {
		t.Errorf("stats = %+v, room for %d bytes", s, room)
	}
}

func TestResultLargerThanAll(t *testing.T) {
	l := New(Config{MaxBytes: 1000})
	begin(t, l, start, key(1), Begin)
	l.Finish(start, key(1), Result{Status: mesh.StatusHandlerFailed, Detail: strings.Repeat("x", 2000)}, false)
	if r := begin(t, l, start, key(1), Again); r.Status != mesh.StatusHandlerFailed || r.Detail != "" {
		t.Errorf("result = %+v: a status without a reply stays true", r)
	}
	if got := l.Stats().Bytes; got > 1000 {
		t.Errorf("Bytes = %d, over the bound", got)
	}
}

func TestNamesAreForgotten(t *testing.T) {
	l := New(Config{})
	for n := range uint64(100) {
		l.Begin(start, Key{Service: "s", Origin: peer.ID(fmt.Sprint(n)), ID: key(n).ID}, start)
	}
	l.Sweep(start.Add(time.Hour), 1000)
	if s := l.Stats(); s.Entries != 0 || s.Bytes != 0 || len(l.scopes.numbers) != 0 || len(l.due.heads) != 0 {
		t.Errorf("left over: %+v, %d names, %d seconds", s, len(l.scopes.numbers), len(l.due.heads))
	}
}

// TestMemory holds entryCost against the heap.
func TestMemory(t *testing.T) {
	const n = 300_000 // where the index has just grown, its worst moment
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l := New(Config{})
	for i := range uint64(n) {
		begin(t, l, start, key(i), Begin)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	got := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.1f bytes per entry", got)
	if got > entryCost {
		t.Errorf("an entry takes %.1f bytes, counted as %d", got, entryCost)
	}
	runtime.KeepAlive(l)
}

func BenchmarkBeginFinish(b *testing.B) {
	l := New(Config{MaxEntries: 1 << 20, MaxBytes: 1 << 30})
	ok := Result{Status: mesh.StatusOK}
	now := start
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		n++
		now = now.Add(time.Millisecond)
		k := key(n)
		if v, _, _ := l.Begin(now, k, now.Add(30*time.Second)); v != Begin {
			b.Fatal(v)
		}
		l.Finish(now, k, ok, false)
		l.Sweep(now, 4)
	}
}

func BenchmarkDuplicate(b *testing.B) {
	l := New(Config{})
	l.Begin(start, key(1), start.Add(time.Minute))
	l.Finish(start, key(1), Result{Status: mesh.StatusOK, Payload: make([]byte, 128)}, false)
	b.ReportAllocs()
	for b.Loop() {
		l.Begin(start, key(1), start.Add(time.Minute))
	}
}
