package groups

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	pubsub "github.com/libp2p/go-libp2p-pubsub"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Policy says what happens when a subscription has no room.
type Policy int

// The policies.
const (
	Block      Policy = iota // later messages of the group wait, as far as there is room for them
	DropOldest               // the oldest makes room
	DropNewest               // the new one goes
)

// ErrClosed is returned by Next after Close.
var ErrClosed = errors.New("subscription is closed")

// Subscription is one reader of a group.
type Subscription struct {
	t       *topic
	policy  Policy
	ch      chan Message
	done    chan struct{}
	once    sync.Once
	dropped atomic.Uint64
}

// Subscribe joins a group. The subscription holds buffer messages; 0 is Queue.
func (g *Groups) Subscribe(name string, policy Policy, buffer int) (*Subscription, error) {
	t, err := g.topic(name)
	if err != nil {
		return nil, err
	}
	defer g.release(t)
	if buffer < 1 {
		buffer = Queue
	}
	s := &Subscription{t: t, policy: policy, ch: make(chan Message, buffer), done: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sub == nil {
		if t.sub, err = t.t.Subscribe(pubsub.WithBufferSize(Queue)); err != nil {
			t.sub = nil
			return nil, err
		}
		ctx, stop := context.WithCancel(g.ctx)
		sub, pumped := t.sub, make(chan struct{})
		t.stop, t.pumped = stop, pumped
		g.wg.Go(func() {
			defer close(pumped)
			t.pump(ctx, sub)
		})
	}
	t.subs = append(t.subs, s)
	return s, nil
}

// pump hands what arrives to every subscription.
func (t *topic) pump(ctx context.Context, sub *pubsub.Subscription) {
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			return
		}
		e, ok := m.ValidatorData.(*mesh.Envelope)
		if !ok {
			continue
		}
		t.got.Add(1)
		t.mu.Lock()
		subs := append([]*Subscription(nil), t.subs...)
		t.mu.Unlock()
		for _, s := range subs {
			s.put(ctx, Message{Envelope: e})
		}
	}
}

func (s *Subscription) put(ctx context.Context, m Message) {
	for {
		select {
		case s.ch <- m:
			return
		default:
		}
		switch s.policy {
		case DropNewest:
			s.dropped.Add(1)
			return
		case DropOldest:
			select {
			case <-s.ch:
				s.dropped.Add(1)
			default:
			}
		default:
			select {
			case s.ch <- m:
			case <-s.done:
			case <-ctx.Done():
			}
			return
		}
	}
}

// Next gives the next message, in the order of arrival.
func (s *Subscription) Next(ctx context.Context) (Message, error) {
	select {
	case m := <-s.ch:
		return m, nil
	default:
	}
	select {
	case m := <-s.ch:
		return m, nil
	case <-s.done:
		return Message{}, ErrClosed
	case <-ctx.Done():
		return Message{}, ctx.Err()
	}
}

// Dropped is the number of messages that found no room.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Close ends the subscription; with the last one the node leaves the group.
func (s *Subscription) Close() {
	s.once.Do(func() {
		close(s.done)
		t := s.t
		t.mu.Lock()
		t.dropped.Add(s.dropped.Load())
		for i, o := range t.subs {
			if o == s {
				t.subs = append(t.subs[:i:i], t.subs[i+1:]...)
				break
			}
		}
		sub, stop, pumped := t.sub, t.stop, t.pumped
		last := len(t.subs) == 0
		if last {
			t.sub = nil
		}
		t.mu.Unlock()
		if last && sub != nil {
			stop()
			sub.Cancel()
			<-pumped
		}
	})
}
