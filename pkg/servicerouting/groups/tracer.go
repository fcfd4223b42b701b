package groups

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// tracer counts what GossipSub drops in silence, and knows how much waits for
// each neighbour.
type tracer struct {
	g          *Groups
	droppedOut atomic.Uint64
	droppedIn  atomic.Uint64

	mu      sync.Mutex
	waiting map[peer.ID]*outlet
	over    int           // neighbours with too many, that are waited for
	change  chan struct{} // closed when over falls to 0
}

// outlet is what waits for one neighbour.
type outlet struct {
	n     int  // messages queued and not yet written
	stuck bool // it is not waited for, until most of it has been written
}

func (t *tracer) init(g *Groups) {
	t.g, t.waiting, t.change = g, make(map[peer.ID]*outlet), make(chan struct{})
}

// room waits until no neighbour has too much waiting, but not longer than a
// second: those that still have are not waited for any more until they have
// caught up; their losses are counted.
func (t *tracer) room(ctx context.Context) error {
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for {
		t.mu.Lock()
		over, change := t.over, t.change
		t.mu.Unlock()
		if over == 0 {
			return nil
		}
		select {
		case <-change:
		case <-patience.C:
			t.giveUp()
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *tracer) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.waiting {
		if o.n >= MaxOutstanding && !o.stuck {
			o.stuck = true
			t.fell()
		}
	}
}

func (t *tracer) queued(p peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.waiting[p]
	if o == nil {
		o = new(outlet)
		t.waiting[p] = o
	}
	if o.n++; o.n == MaxOutstanding && !o.stuck {
		t.over++
	}
}

func (t *tracer) written(p peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.waiting[p]
	if o == nil { // its stream was given up meanwhile
		return
	}
	if o.n--; o.n == MaxOutstanding-1 && !o.stuck {
		t.fell()
	}
	if o.n <= MaxOutstanding/2 {
		o.stuck = false
	}
	if o.n <= 0 {
		delete(t.waiting, p)
	}
}

func (t *tracer) fell() {
	if t.over--; t.over == 0 {
		close(t.change)
		t.change = make(chan struct{})
	}
}

// SendRPC is called when an RPC enters a neighbour's queue.
func (t *tracer) SendRPC(rpc *pubsub.RPC, p peer.ID) {
	if len(rpc.GetPublish()) > 0 {
		t.queued(p)
	}
}

// SendRPCCompleted is called when it has been written.
func (t *tracer) SendRPCCompleted(rpc *pubsub.RPC, p peer.ID, _ time.Duration) {
	if len(rpc.GetPublish()) > 0 {
		t.written(p)
	}
}

// DropRPC is called when a neighbour's queue is full.
func (t *tracer) DropRPC(rpc *pubsub.RPC, _ peer.ID) {
	for _, m := range rpc.GetPublish() {
		t.droppedOut.Add(1)
		t.count(m.GetTopic())
	}
}

// UndeliverableMessage is called when a group's subscription here is full.
func (t *tracer) UndeliverableMessage(m *pubsub.Message) { t.lost(m.GetTopic()) }

// RejectMessage is called for what does not pass; what was dropped for want
// of room is a loss.
func (t *tracer) RejectMessage(m *pubsub.Message, reason string) {
	if reason == pubsub.RejectValidationQueueFull || reason == pubsub.RejectValidationThrottled {
		t.lost(m.GetTopic())
	}
}

func (t *tracer) lost(full string) {
	t.droppedIn.Add(1)
	t.count(full)
}

// count runs within GossipSub's loop: it must not wait for g.mu, which is held
// across calls into that loop.
func (t *tracer) count(full string) {
	if top, ok := t.g.byTopic.Load(full); ok {
		top.(*topic).dropped.Add(1)
	}
}

// OnClosedOutboundStream is called when a neighbour is gone.
func (t *tracer) OnClosedOutboundStream(p peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.waiting[p]; o != nil && o.n >= MaxOutstanding && !o.stuck {
		t.fell()
	}
	delete(t.waiting, p)
}

// The rest is of no interest.

func (*tracer) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (*tracer) Join(string)                              {}
func (*tracer) Leave(string)                             {}
func (*tracer) Graft(peer.ID, string)                    {}
func (*tracer) Prune(peer.ID, string)                    {}
func (*tracer) ValidateMessage(*pubsub.Message)          {}
func (*tracer) DeliverMessage(*pubsub.Message)           {}
func (*tracer) DuplicateMessage(*pubsub.Message)         {}
func (*tracer) ThrottlePeer(peer.ID)                     {}
func (*tracer) RecvRPC(*pubsub.RPC)                      {}
