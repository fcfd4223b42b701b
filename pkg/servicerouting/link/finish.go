package link

import (
	"context"
	"time"
)

// Finish sends what is queued, closes our stream for writing, and returns when
// the neighbour has taken it all and ended the link, or with ctx.
func (l *Link) Finish(ctx context.Context) {
	every := time.NewTicker(2 * time.Millisecond)
	defer every.Stop()
	for !l.empty() {
		select {
		case <-l.done:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
	if w, ok := l.w.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
		select {
		case <-l.done:
		case <-ctx.Done():
		}
	}
}

// empty tells whether everything queued has been written.
func (l *Link) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready.Signal()
	return l.closed || len(l.control) == 0 && len(l.answers) == 0 && l.queued.Load() == 0 && l.beat.writing.IsZero()
}
