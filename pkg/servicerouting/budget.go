package servicerouting

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// budget pauses local publishers, and nobody else, while the links together
// hold too much: from pause bytes on, until they hold less than resume.
type budget struct {
	mu            sync.Mutex
	pause, resume int
	held          int // bytes of local frames that wait for room
	paused        bool
	wait          chan struct{}

	sum    atomic.Int64 // bytes queued on all links, when last taken
	summed atomic.Int64 // when, in Unix milliseconds
	since  atomic.Int64 // bytes added since
}

func (b *budget) init(pause, resume int) {
	b.pause, b.resume, b.wait = pause, resume, make(chan struct{})
}

func (b *budget) add(n int) {
	b.mu.Lock()
	b.held += n
	b.mu.Unlock()
}

// wake lets those who wait look again.
func (b *budget) wake() {
	b.mu.Lock()
	close(b.wait)
	b.wait = make(chan struct{})
	b.mu.Unlock()
}

// full says whether to wait, and on what.
func (b *budget) full(queued int) (bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	total := queued + b.held
	switch {
	case total >= b.pause:
		b.paused = true
	case total < b.resume:
		b.paused = false
	}
	return b.paused, b.wait
}

// overBudget tells whether the links together hold so much that a frame of n
// bytes is refused: floods from resume on, so that they alone never pause a
// publisher, other nodes' frames from pause on. Between exact sums, one a
// millisecond near the limit, it counts what is added.
func (f *Forwarder) overBudget(n int, flood bool) bool {
	b := &f.budget
	limit := int64(b.pause)
	if flood {
		limit = int64(b.resume)
	}
	since := b.since.Add(int64(n))
	if since < 1<<20 && b.sum.Load()+since < limit {
		return false
	}
	if now := f.cfg.Now().UnixMilli(); b.summed.Swap(now) != now {
		b.since.Store(int64(n))
		b.sum.Store(int64(f.Queued()))
	}
	return b.sum.Load()+b.since.Load() >= limit
}

// admit waits until a publisher may go on: ErrBusy at once when it does not
// want to wait.
func (f *Forwarder) admit(ctx context.Context, noWait bool) error {
	for {
		full, wait := f.budget.full(f.Queued())
		if !full {
			return nil
		}
		if noWait {
			return mesh.ErrBusy
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.ctx.Done():
			return mesh.ErrDraining
		case <-wait:
		}
	}
}

// Queued is the number of payload bytes in the queues of all links.
func (f *Forwarder) Queued() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, p := range f.ports {
		n += p.link.Queued()
	}
	return n
}
