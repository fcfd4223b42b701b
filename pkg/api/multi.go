package api

import (
	"context"
	"errors"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Multi speaks to several daemons as to one: a message is sent by the first
// daemon that takes it, and a subscriber gets each message once, from
// whichever brings it first.
type Multi struct{ clients []*Client }

// NewMulti needs at least one client; their order is that of preference.
func NewMulti(clients ...*Client) (*Multi, error) {
	if len(clients) == 0 {
		return nil, Fail(ErrNoDaemon, "no address of a daemon is given")
	}
	return &Multi{clients}, nil
}

// Clients are the single daemons.
func (m *Multi) Clients() []*Client { return m.clients }

// Close drops idle connections.
func (m *Multi) Close() {
	for _, c := range m.clients {
		c.Close()
	}
}

// Publish is Client.Publish at the first daemon that takes it.
func (m *Multi) Publish(ctx context.Context, to string, body []byte, o Send) (Receipt, error) {
	return first(ctx, m, o, func(c *Client, o Send) (Receipt, error) { return c.Publish(ctx, to, body, o) })
}

// PublishAll is Client.PublishAll at the first daemon that takes it.
func (m *Multi) PublishAll(ctx context.Context, to string, body []byte, o Send) ([]Receipt, error) {
	return first(ctx, m, o, func(c *Client, o Send) ([]Receipt, error) { return c.PublishAll(ctx, to, body, o) })
}

// Broadcast is Client.Broadcast at the first daemon that takes it.
func (m *Multi) Broadcast(ctx context.Context, group string, body []byte, o Send) (Receipt, error) {
	return first(ctx, m, o, func(c *Client, o Send) (Receipt, error) { return c.Broadcast(ctx, group, body, o) })
}

// Request is Client.Request at the first daemon that takes it.
func (m *Multi) Request(ctx context.Context, to string, body []byte, o Send) (Reply, error) {
	return first(ctx, m, o, func(c *Client, o Send) (Reply, error) { return c.Request(ctx, to, body, o) })
}

// RequestAll is Client.RequestAll at the first daemon that takes it.
func (m *Multi) RequestAll(ctx context.Context, to string, body []byte, o Send) (*Stream[Reply], error) {
	return first(ctx, m, o, func(c *Client, o Send) (*Stream[Reply], error) { return c.RequestAll(ctx, to, body, o) })
}

// Gather is Client.Gather at the first daemon that takes it.
func (m *Multi) Gather(ctx context.Context, to string, body []byte, want meshnode.Want, o Send) (Gathered, error) {
	id := o.ID
	return first(ctx, m, o, func(c *Client, o Send) (Gathered, error) {
		if want.N > 1 {
			o.ID = id // one of its own for each message
		}
		return c.Gather(ctx, to, body, want, o)
	})
}

// first tries one daemon after the other, as long as it is certain that
// nothing was done: it was not there before the message was sent, or it
// drains. A daemon that went away afterwards leaves the outcome unknown, and
// only a caller who asked for failover has the message sent again, with the
// same id and idempotency key.
func first[T any](ctx context.Context, m *Multi, o Send, send func(*Client, Send) (T, error)) (out T, err error) {
	if o.ID.IsZero() {
		o.ID = mesh.NewID()
	}
	if o.Key == "" && o.Failover && len(m.clients) > 1 {
		o.Key = o.ID.String()
	}
	var failed error
	for _, c := range m.clients {
		out, err = send(c, o)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, ErrNoDaemon), errors.Is(err, mesh.ErrDraining):
		case errors.Is(err, ErrLost) && o.Failover:
		default:
			return out, err
		}
		failed = worse(failed, err)
	}
	return out, failed
}

// worse keeps the error that says most: an unknown outcome, then a daemon
// that drains, then one that is not there.
func worse(a, b error) error {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case errors.Is(err, mesh.ErrUnknown):
			return 3
		case errors.Is(err, ErrNoDaemon):
			return 1
		}
		return 2
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
