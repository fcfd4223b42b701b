package meshnode

import (
	"context"
	"errors"

	"github.com/meshnode/meshnode/pkg/mesh"
)

type groupHub struct{}

func newGroupHub(n *Node, network mesh.Network) (*groupHub, error) { return &groupHub{}, nil }
func (g *groupHub) Close() error                                   { return nil }

// Broadcast sends to all members of a group.
func (n *Node) Broadcast(ctx context.Context, group string, payload []byte, opts ...SendOption) error {
	return errors.ErrUnsupported
}

// Groups lists the groups this node has joined.
func (n *Node) Groups() []GroupInfo { return nil }

func (n *Node) subscribeGroup(ctx context.Context, name string, o subscribeOptions) (source, error) {
	return nil, errors.ErrUnsupported
}
