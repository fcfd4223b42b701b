package main

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatencyCountsFromTheIntendedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load{rate: 10, duration: time.Second, timeout: time.Minute, size: 8, concurrency: 1}
		var n atomic.Int64
		r := l.run(t.Context(), func(ctx context.Context, _ []byte) error {
			if n.Add(1) == 1 {
				pause(ctx, 500*time.Millisecond) // one slow answer makes five others late
			}
			return nil
		})
		if r.Sent != 10 || r.OK != 10 || r.Failed != 0 || r.Unsent != 0 {
			t.Errorf("%+v", r)
		}
		// Due at 0, 100, 200 … ms; those of 0 to 400 ms are done at 500 ms.
		about(t, "p50", r.P50, 0)
		about(t, "p90", r.P90, 400*time.Millisecond)
		about(t, "max", r.Max, 500*time.Millisecond)
	})
}

func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-want/100 || got > want+want/100+time.Microsecond {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestWhatWasDueAndNotSentIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load{rate: 100, duration: time.Second, timeout: time.Minute, size: 8, concurrency: 2}
		r := l.run(t.Context(), func(ctx context.Context, _ []byte) error {
			pause(ctx, 250*time.Millisecond)
			return nil
		})
		if r.Sent+r.Unsent != 100 || r.Unsent < 85 || r.OK != r.Sent {
			t.Errorf("sent %d, unsent %d, ok %d", r.Sent, r.Unsent, r.OK)
		}
	})
}

func TestWithoutARateEachWorkerWaitsForItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load{duration: time.Second, timeout: time.Minute, size: 8, concurrency: 3}
		r := l.run(t.Context(), func(ctx context.Context, _ []byte) error {
			pause(ctx, 100*time.Millisecond)
			return nil
		})
		if r.Sent < 30 || r.Sent > 33 {
			t.Errorf("sent %d", r.Sent)
		}
	})
}

func TestFailuresAndTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load{rate: 10, duration: time.Second, timeout: 50 * time.Millisecond, size: 8, concurrency: 4}
		r := l.run(t.Context(), func(ctx context.Context, body []byte) error {
			if binary.BigEndian.Uint64(body)%2 == 0 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if r.OK != 5 || r.Failed != 5 || !errors.Is(r.last, context.DeadlineExceeded) {
			t.Errorf("%+v", r)
		}
	})
}

func TestSequence(t *testing.T) {
	var s sequence
	add := func(n uint64) { s.add(binary.BigEndian.AppendUint64(nil, n)) }
	for _, n := range []uint64{0, 1, 63, 64, 100000, 1, 64, 64} {
		add(n)
	}
	s.add([]byte("short"))
	add(1 << 60)
	if d, r := s.counts(); d != 5 || r != 3 {
		t.Errorf("%d distinct, %d repeated", d, r)
	}
}

func TestCountWaitsForTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := &benchResult{Sent: 10}
		r.count(t.Context(), func() (uint64, uint64) { asked++; return uint64(min(asked, 10)), 2 })
		if *r.Lost != 0 || *r.Repeated != 2 {
			t.Errorf("lost %d, repeated %d", *r.Lost, *r.Repeated)
		}
		start := time.Now()
		r.count(t.Context(), func() (uint64, uint64) { return 7, 0 })
		if *r.Lost != 3 || time.Since(start) < 2*time.Second {
			t.Errorf("lost %d after %v", *r.Lost, time.Since(start))
		}
	})
}
