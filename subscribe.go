package meshnode

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Policy says what happens to a message for which a slow subscriber has no
// room.
type Policy int

// The policies.
const (
	// Block: the message waits; its sender hears nothing meanwhile, and of a
	// group's messages later ones wait too.
	Block Policy = iota
	// DropOldest: the oldest waiting message makes room. Of a service's messages
	// its sender has been told that it was handled.
	DropOldest
	// DropNewest: the message itself goes.
	DropNewest
)

// SubscribeOption changes a subscription.
type SubscribeOption func(*subscribeOptions)

type subscribeOptions struct {
	policy Policy
	buffer int
	attrs  mesh.Attributes
}

// WithPolicy says what happens when the subscriber is slow. Default Block.
func WithPolicy(p Policy) SubscribeOption { return func(o *subscribeOptions) { o.policy = p } }

// WithBuffer says how many messages wait for the subscriber. Default 4096.
func WithBuffer(n int) SubscribeOption { return func(o *subscribeOptions) { o.buffer = n } }

// SubscribeAttributes tells what this subscriber is, for selectors.
func SubscribeAttributes(a mesh.Attributes) SubscribeOption {
	return func(o *subscribeOptions) { o.attrs = a }
}

// source yields the messages of a subscription until it is closed.
type source interface {
	next(ctx context.Context) (*Message, error)
	close()
}

// Subscribe gives the messages of a service, whose provider the node becomes,
// or of a group ("group:lobby"). It is subscribed when Subscribe returns; the
// iterator ends with ctx, with the node, or when the loop is left, and can be
// ranged over once. A message of a service counts as handled when it is
// in the buffer; a message that a policy drops is answered as a failure.
func (n *Node) Subscribe(ctx context.Context, to string, opts ...SubscribeOption) (iter.Seq2[*Message, error], error) {
	o := subscribeOptions{buffer: 4096}
	for _, opt := range opts {
		opt(&o)
	}
	if o.buffer < 1 || o.buffer > 1<<20 {
		return nil, fmt.Errorf("subscribe %s: buffer is %d: need 1 to 1048576", to, o.buffer)
	}
	addr, err := mesh.ParseAddress(to)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	var src source
	switch {
	case addr.Kind == mesh.KindGroup:
		src, err = n.subscribeGroup(addr.Name, o)
	case addr.Kind == mesh.KindService && addr.Selector.IsZero() && addr.Network == "":
		src, err = n.subscribeService(addr.Name, o)
	default:
		err = fmt.Errorf("subscribe %s: need a service or a group: %w", to, mesh.ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, src.close)
	return func(yield func(*Message, error) bool) {
		defer stop()
		defer src.close()
		for {
			m, err := src.next(ctx)
			if ctx.Err() != nil || n.isClosed() {
				return
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}, nil
}

func (n *Node) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}

// serviceSource is the buffer between a service's handler and its subscriber.
type serviceSource struct {
	reg  *Registration
	ch   chan *Message
	done chan struct{}
	once sync.Once
	node *Node
}

var errDropped = fmt.Errorf("the subscriber is too slow and the message was dropped: %w", mesh.ErrBusy)

func (n *Node) subscribeService(name string, o subscribeOptions) (source, error) {
	s := &serviceSource{ch: make(chan *Message, o.buffer), done: make(chan struct{}), node: n}
	put := func(ctx context.Context, m *Message) (Reply, error) {
		for {
			select {
			case s.ch <- m:
				return Reply{}, nil
			case <-s.done:
				return Reply{}, Retryable(fmt.Errorf("the subscriber left: %w", mesh.ErrNoProvider))
			default:
			}
			switch o.policy {
			case DropNewest:
				return Reply{}, errDropped
			case DropOldest:
				select {
				case <-s.ch:
				default:
				}
			default:
				select {
				case s.ch <- m:
					return Reply{}, nil
				case <-s.done:
				case <-ctx.Done():
					return Reply{}, Retryable(ctx.Err())
				}
			}
		}
	}
	var err error
	s.reg, err = n.Handle(name, put, WithAttributes(o.attrs), WithConcurrency(1))
	return s, err
}

func (s *serviceSource) next(ctx context.Context) (*Message, error) {
	select {
	case m := <-s.ch:
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.done:
		return nil, ErrClosed
	case <-s.node.done:
		return nil, ErrClosed
	}
}

func (s *serviceSource) close() {
	s.once.Do(func() {
		close(s.done)
		_ = s.reg.Close()
	})
}
