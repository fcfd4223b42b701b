package main

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/meshnode/meshnode/pkg/api"
)

// load sends bodies at a rate. Latency counts from the moment a message should
// have been sent, so that a slow answer is not hidden by the messages that
// waited behind it (the "coordinated omission" of Gil Tene).
type load struct {
	rate        float64 // a second; 0: as answered
	duration    time.Duration
	timeout     time.Duration
	size        int // bytes, 8 or more
	concurrency int
}

// benchResult is what a measurement found. Durations in JSON are nanoseconds.
type benchResult struct {
	api.Head
	Verb     string        `json:"verb"`
	Hops     int           `json:"hops,omitempty"`
	Size     int           `json:"size"`
	Sent     uint64        `json:"sent"`
	OK       uint64        `json:"ok"`
	Failed   uint64        `json:"failed"`
	Unsent   uint64        `json:"unsent"` // due, and no worker was free
	Lost     *uint64       `json:"lost,omitempty"`
	Repeated *uint64       `json:"repeated,omitempty"`
	Elapsed  time.Duration `json:"elapsed"`
	Rate     float64       `json:"rate"` // OK a second
	P50      time.Duration `json:"p50"`
	P90      time.Duration `json:"p90"`
	P99      time.Duration `json:"p99"`
	P999     time.Duration `json:"p999"`
	Max      time.Duration `json:"max"`

	last error
}

// The histogram holds microseconds up to ten minutes, with three digits.
const maxLatency = 10 * time.Minute

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), 3)
}

type job struct {
	seq uint64
	due time.Time
}

// run sends until the duration is over or ctx ends, and waits for the answers.
func (l load) run(ctx context.Context, send func(ctx context.Context, body []byte) error) *benchResult {
	r := &benchResult{Head: head, Size: l.size}
	jobs := make(chan job)
	var ok, failed atomic.Uint64
	var wg sync.WaitGroup
	var mu sync.Mutex // guards all and r.last
	all := newHistogram()
	for range l.concurrency {
		wg.Go(func() {
			h := newHistogram()
			for j := range jobs {
				body := make([]byte, l.size) // the node may keep it
				binary.BigEndian.PutUint64(body, j.seq)
				one, cancel := context.WithTimeout(ctx, l.timeout)
				err := send(one, body)
				cancel()
				if err != nil {
					failed.Add(1)
					mu.Lock()
					r.last = err
					mu.Unlock()
					continue
				}
				ok.Add(1)
				took := min(max(time.Since(j.due), time.Microsecond), maxLatency)
				_ = h.RecordValue(took.Microseconds()) // within its range
			}
			mu.Lock()
			defer mu.Unlock()
			all.Merge(h)
		})
	}
	start := time.Now()
	r.Sent, r.Unsent = l.schedule(ctx, start, jobs)
	close(jobs)
	wg.Wait()
	r.OK, r.Failed, r.Elapsed = ok.Load(), failed.Load(), time.Since(start)
	r.Rate = float64(r.OK) / r.Elapsed.Seconds()
	at := func(q float64) time.Duration { return time.Duration(all.ValueAtQuantile(q)) * time.Microsecond }
	r.P50, r.P90, r.P99, r.P999 = at(50), at(90), at(99), at(99.9)
	r.Max = time.Duration(all.Max()) * time.Microsecond
	return r
}

// schedule hands out jobs on time. When all workers are busy it waits for one,
// and the jobs keep the time they were due.
func (l load) schedule(ctx context.Context, start time.Time, jobs chan<- job) (sent, unsent uint64) {
	end := start.Add(l.duration)
	timeUp := time.NewTimer(l.duration)
	defer timeUp.Stop()
	due := func(n uint64) time.Time {
		if l.rate == 0 {
			return time.Now()
		}
		return start.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	}
	for {
		j := job{sent, due(sent)}
		if !j.due.Before(end) {
			return sent, 0
		}
		if wait := time.Until(j.due); wait > 0 {
			pause(ctx, wait)
		}
		select {
		case jobs <- j:
			sent++
		case <-timeUp.C:
			if l.rate > 0 {
				unsent = uint64(l.rate*l.duration.Seconds()) - sent
			}
			return sent, unsent
		case <-ctx.Done():
			return sent, 0
		}
	}
}

// count adds what the receiver saw, once nothing more comes.
func (r *benchResult) count(ctx context.Context, received func() (distinct, repeated uint64)) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	distinct, repeated := received()
	for distinct < r.Sent && ctx.Err() == nil {
		pause(ctx, 10*time.Millisecond)
		distinct, repeated = received()
	}
	lost := r.Sent - min(distinct, r.Sent)
	r.Lost, r.Repeated = &lost, &repeated
}
