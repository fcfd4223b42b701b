package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long a lost daemon is left alone before it is tried again.
const (
	backoffMin = 250 * time.Millisecond
	backoffMax = 5 * time.Second
)

// Subscribe merges the subscriptions at all daemons: each message comes once,
// by its id, within the last 14 minutes and 65,536 messages. A daemon that
// goes away is tried again for as long as another one lives; when none does,
// the stream ends with ErrNoDaemon.
func (m *Multi) Subscribe(ctx context.Context, to string, o Subscription) (*Stream[Message], error) {
	var ids seen
	return merge(ctx, opens(m, func(ctx context.Context, c *Client) (*Stream[Message], error) {
		return c.Subscribe(ctx, to, o)
	}), func(m Message) bool { return ids.first(time.Now(), m.ID) })
}

// Work merges the work of all daemons, with the same rules. Items are not
// deduplicated: each daemon wants its own answer.
func (m *Multi) Work(ctx context.Context, service string, o Serve) (*Stream[Work], error) {
	return merge(ctx, opens(m, func(ctx context.Context, c *Client) (*Stream[Work], error) {
		return c.Work(ctx, service, o)
	}), func(Work) bool { return true })
}

type open[T any] func(context.Context) (*Stream[T], error)

func opens[T any](m *Multi, f func(context.Context, *Client) (*Stream[T], error)) []open[T] {
	var out []open[T]
	for _, c := range m.clients {
		out = append(out, func(ctx context.Context) (*Stream[T], error) { return f(ctx, c) })
	}
	return out
}

type result[T any] struct {
	item T
	err  error
}

// merger runs one source per daemon.
type merger[T any] struct {
	ctx    context.Context
	cancel context.CancelFunc
	out    chan result[T]
	wg     sync.WaitGroup

	mu    sync.Mutex
	alive int
	lost  chan struct{} // closed when none is alive
	last  error         // why
}

// merge opens all sources; one that works is enough. keep is called for one
// item at a time.
func merge[T any](ctx context.Context, sources []open[T], keep func(T) bool) (*Stream[T], error) {
	m := &merger[T]{out: make(chan result[T]), lost: make(chan struct{})}
	m.ctx, m.cancel = context.WithCancel(ctx)
	started := make([]*Stream[T], len(sources))
	for i, source := range sources {
		s, err := source(m.ctx)
		switch {
		case err == nil:
			started[i] = s
			m.alive++
		case errors.Is(err, ErrNoDaemon):
			m.last = err
		default:
			m.alive, m.last = 0, err // the others would say the same
		}
		if err != nil && !errors.Is(err, ErrNoDaemon) {
			break
		}
	}
	if m.alive == 0 {
		m.cancel()
		for _, s := range started {
			if s != nil {
				s.close()
			}
		}
		return nil, m.last
	}
	for i, source := range sources {
		m.wg.Go(func() { m.run(source, started[i]) })
	}
	return &Stream[T]{next: m.next(keep), close: m.close}, nil
}

func (m *merger[T]) close() {
	m.cancel()
	m.wg.Wait()
}

func (m *merger[T]) next(keep func(T) bool) func() (T, error, bool) {
	return func() (v T, err error, more bool) {
		for {
			select {
			case r := <-m.out:
				if r.err != nil || keep(r.item) {
					return r.item, r.err, true
				}
			case <-m.lost:
				return v, fmt.Errorf("no daemon is left: %w", m.last), false
			case <-m.ctx.Done():
				return v, nil, false
			}
		}
	}
}

// run carries one daemon's items, and opens it again when it was lost.
func (m *merger[T]) run(source open[T], s *Stream[T]) {
	wait := backoffMin
	for m.ctx.Err() == nil {
		if s != nil {
			wait = backoffMin
			m.gone(m.carry(s))
			s = nil
		}
		select {
		case <-m.ctx.Done():
			return
		case <-m.lost:
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, backoffMax)
		var err error
		if s, err = source(m.ctx); err == nil && !m.back() {
			s.close()
			return
		}
	}
}

// carry passes items on until the stream ends, and tells why it did.
func (m *merger[T]) carry(s *Stream[T]) (why error) {
	defer s.close()
	for {
		v, err, more := s.next()
		if !more {
			return err
		}
		select {
		case m.out <- result[T]{v, err}:
		case <-m.ctx.Done():
			return nil
		}
	}
}

func (m *merger[T]) gone(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alive--
	if m.alive == 0 {
		m.last = why
		if why == nil {
			m.last = ErrNoDaemon
		}
		close(m.lost)
	}
}

// back counts a daemon that is there again; false when the stream has ended.
func (m *merger[T]) back() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alive == 0 {
		return false
	}
	m.alive++
	return true
}
