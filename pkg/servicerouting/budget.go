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

	since atomic.Int64 // bytes of other nodes since the sum was taken
	over  atomic.Bool  // what it said
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

// overBudget tells whether the links together hold all that they may, so that
// another node's frame is refused. The exact sum is taken once in 64 KiB.
func (f *Forwarder) overBudget(n int) bool {
	if f.budget.since.Add(int64(n)) < 64<<10 && !f.budget.over.Load() {
		return false
	}
	f.budget.since.Store(0)
	over := f.Queued() >= f.cfg.Pause
	f.budget.over.Store(over)
	return over
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
