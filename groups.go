package meshnode

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
	"github.com/meshnode/meshnode/pkg/servicerouting/groups"
)

// Broadcast sends to everybody in a group, named with or without "group:". It
// is best effort, like class fire. With nobody known in the group it waits a
// second for somebody, then returns ErrNoProvider. The payload is at most 64
// KiB. Of the options, headers and content type count.
func (n *Node) Broadcast(ctx context.Context, group string, payload []byte, opts ...SendOption) error {
	var o servicerouting.Outgoing
	for _, opt := range opts {
		opt(&o)
	}
	name := strings.TrimPrefix(group, "group:")
	if n.fw.Draining() {
		return fmt.Errorf("broadcast to %s: %w", group, mesh.ErrDraining)
	}
	if err := n.groups.Publish(ctx, name, payload, o.Headers, o.ContentType); err != nil {
		return fmt.Errorf("broadcast to %s: %w", group, err)
	}
	return nil
}

// Groups lists the groups this node is in, or has sent to.
func (n *Node) Groups() []GroupInfo {
	var out []GroupInfo
	for _, g := range n.groups.List() {
		out = append(out, GroupInfo{Name: g.Name, Members: g.Members, Sent: g.Sent, Got: g.Got, Dropped: g.Dropped})
	}
	return out
}

// groupSource is a subscription to a group.
type groupSource struct{ sub *groups.Subscription }

func (n *Node) subscribeGroup(name string, o subscribeOptions) (source, error) {
	policy := map[Policy]groups.Policy{Block: groups.Block, DropOldest: groups.DropOldest, DropNewest: groups.DropNewest}[o.policy]
	sub, err := n.groups.Subscribe(name, policy, o.buffer)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return groupSource{sub}, nil
}

func (s groupSource) next(ctx context.Context) (*Message, error) {
	m, err := s.sub.Next(ctx)
	if err != nil {
		return nil, err
	}
	e := m.Envelope
	return &Message{
		ID: e.ID, From: e.Origin, To: e.Address, Mode: e.Mode, Class: e.Class, ContentType: e.ContentType,
		Headers: e.Headers, Payload: e.Payload, Created: e.Created, Expires: e.Expires, Key: e.IdempotencyKey(),
		forward: func(context.Context, string) (Reply, error) {
			return Reply{}, fmt.Errorf("a group's message cannot be passed on: %w", mesh.ErrMalformed)
		},
	}, nil
}

func (s groupSource) close() { s.sub.Close() }
