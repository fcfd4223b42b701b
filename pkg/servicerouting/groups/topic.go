package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// topic is a group on GossipSub, shared by all that use it on this node.
type topic struct {
	g    *Groups
	name string
	t    *pubsub.Topic

	sent, got, dropped atomic.Uint64
	used               atomic.Uint64 // number of its last use by this node, 0: it only relays
	busy               int           // uses now; under g.mu

	mu     sync.Mutex
	sub    *pubsub.Subscription
	stop   context.CancelFunc // ends the pump
	pumped chan struct{}
	subs   []*Subscription
	sentTo bool
	undo   pubsub.RelayCancelFunc
}

// join is called with g.mu held.
func (g *Groups) join(name string) (*topic, error) {
	t := &topic{g: g, name: name}
	full := g.prefix + name
	if err := g.ps.RegisterTopicValidator(full, t.validate, pubsub.WithValidatorInline(true)); err != nil {
		return nil, err
	}
	var err error
	if t.t, err = g.ps.Join(full); err != nil {
		return nil, errors.Join(err, g.ps.UnregisterTopicValidator(full))
	}
	g.byTopic.Store(full, t)
	g.topics[name] = t
	return t, nil
}

// relay makes this node pass messages on without being in the group.
func (t *topic) relay() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.undo != nil {
		return nil
	}
	undo, err := t.t.Relay()
	t.undo = undo
	return err
}

// own reports that this node is in the group, or has sent to it.
func (t *topic) own() bool { return t != nil && t.used.Load() > 0 }

func (t *topic) relayed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.undo != nil
}

// idle reports that this node is not in the group, and not sending to it
// now. Called with g.mu held.
func (t *topic) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy == 0 && t.sub == nil
}

// validate checks a message before it goes on: rejected is only what its
// sender must have known to be wrong.
func (t *topic) validate(_ context.Context, _ peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	rest := m.GetData()
	envelope, proof, err := split(rest)
	if err != nil {
		return pubsub.ValidationReject
	}
	e, err := mesh.DecodeEnvelope(envelope)
	switch {
	case errors.Is(err, mesh.ErrVersion):
		return pubsub.ValidationIgnore
	case err != nil, e.Address.Kind != mesh.KindGroup, e.Address.Name != t.name, len(e.Payload) > MaxPayload:
		return pubsub.ValidationReject
	case e.Network != t.g.cfg.Network, mesh.CheckTime(time.Now(), mesh.TimeOf(e.Created), mesh.TimeOf(e.Expires)) != nil,
		e.Expires.Sub(e.Created) > Lifetime:
		return pubsub.ValidationIgnore
	}
	if m.ReceivedFrom != t.g.host.ID() {
		switch err := mesh.VerifyEnvelope(e.Origin, envelope, proof); {
		case errors.Is(err, mesh.ErrNeedSignature): // a proof of a later version
			return pubsub.ValidationIgnore
		case err != nil:
			return pubsub.ValidationReject
		}
	}
	m.ValidatorData = e
	return pubsub.ValidationAccept
}

// publish waits for room and for somebody to be there, then sends.
func (t *topic) publish(ctx context.Context, data []byte) error {
	t.mu.Lock()
	first := !t.sentTo
	t.sentTo = true
	here := len(t.subs) > 0
	t.mu.Unlock()
	if first || !here && len(t.t.ListPeers()) == 0 {
		if err := t.settle(ctx); err != nil && !here {
			return err
		}
	}
	if err := t.g.pace.WaitN(ctx, min(Queue, 1+len(data)/4096)); err != nil {
		return err
	}
	if err := t.g.trace.room(ctx); err != nil {
		return err
	}
	if err := t.t.Publish(ctx, data); err != nil {
		return err
	}
	t.sent.Add(1)
	return nil
}

// settle waits until a neighbour is in the group, and no further one has come
// for a while: right after connections and subscriptions, word of them is still
// on its way.
func (t *topic) settle(ctx context.Context) error {
	h, err := t.t.EventHandler()
	if err != nil {
		return err
	}
	defer h.Cancel()
	wait, cancel := context.WithTimeout(ctx, Settle)
	defer cancel()
	for {
		next := wait
		if len(t.t.ListPeers()) > 0 {
			var stop context.CancelFunc
			next, stop = context.WithTimeout(wait, Quiet)
			defer stop()
		}
		if _, err := h.NextPeerEvent(next); err == nil {
			continue
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case len(t.t.ListPeers()) == 0 && wait.Err() != nil:
			return fmt.Errorf("nobody is in group %s: %w", t.name, mesh.ErrNoProvider)
		case len(t.t.ListPeers()) > 0:
			return nil
		}
	}
}

func (t *topic) info() (Info, bool) {
	t.mu.Lock()
	in := t.used.Load() > 0
	dropped := t.dropped.Load()
	for _, s := range t.subs {
		dropped += s.dropped.Load()
	}
	t.mu.Unlock()
	members := t.t.ListPeers()
	slices.Sort(members)
	return Info{Name: t.name, Members: members, Sent: t.sent.Load(), Got: t.got.Load(), Dropped: dropped}, in
}

// close leaves the group.
func (t *topic) close() {
	t.mu.Lock()
	subs := slices.Clone(t.subs)
	undo := t.undo
	t.undo = nil
	t.mu.Unlock()
	for _, s := range subs {
		s.Close()
	}
	if undo != nil {
		undo()
	}
	_ = t.t.Close()
	t.g.byTopic.Delete(t.g.prefix + t.name)
	_ = t.g.ps.UnregisterTopicValidator(t.g.prefix + t.name)
}
