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
	waiting map[peer.ID]int // messages queued and not yet written
	over    int             // neighbours with too many
	change  chan struct{}   // closed when over falls to 0
}

func (t *tracer) init(g *Groups) {
	t.g, t.waiting, t.change = g, make(map[peer.ID]int), make(chan struct{})
}

// room waits until no neighbour has too much waiting; one that takes nothing
// for a while is not waited for: its losses are counted.
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
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *tracer) add(p peer.ID, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.waiting[p]
	after := max(0, before+n)
	t.waiting[p] = after
	switch {
	case before < MaxOutstanding && after >= MaxOutstanding:
		t.over++
	case before >= MaxOutstanding && after < MaxOutstanding:
		t.fell()
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
		t.add(p, 1)
	}
}

// SendRPCCompleted is called when it has been written.
func (t *tracer) SendRPCCompleted(rpc *pubsub.RPC, p peer.ID, _ time.Duration) {
	if len(rpc.GetPublish()) > 0 {
		t.add(p, -1)
	}
}

// DropRPC is called when a neighbour's queue is full.
func (t *tracer) DropRPC(rpc *pubsub.RPC, _ peer.ID) { t.droppedOut.Add(uint64(len(rpc.GetPublish()))) }

// UndeliverableMessage is called when a group's subscription here is full.
func (t *tracer) UndeliverableMessage(m *pubsub.Message) { t.lost(m.GetTopic()) }

// RejectMessage is called for what does not pass; what was dropped for want
// of room is a loss.
func (t *tracer) RejectMessage(m *pubsub.Message, reason string) {
	if reason == pubsub.RejectValidationQueueFull || reason == pubsub.RejectValidationThrottled {
		t.lost(m.GetTopic())
	}
}

// lost runs within GossipSub's loop: it must not wait for g.mu, which is held
// across calls into that loop.
func (t *tracer) lost(full string) {
	t.droppedIn.Add(1)
	if top, ok := t.g.byTopic.Load(full); ok {
		top.(*topic).dropped.Add(1)
	}
}

// OnClosedOutboundStream is called when a neighbour is gone.
func (t *tracer) OnClosedOutboundStream(p peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting[p] >= MaxOutstanding {
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
