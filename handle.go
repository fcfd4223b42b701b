package meshnode

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
)

// HandleOption changes how a service is served.
type HandleOption func(*handleOptions)

type handleOptions struct {
	attrs       mesh.Attributes
	concurrency int
}

// WithAttributes tells what this provider is, for selectors: region=eu.
func WithAttributes(a mesh.Attributes) HandleOption { return func(o *handleOptions) { o.attrs = a } }

// WithConcurrency says how many messages the handler works on at a time.
// Default: Config.Concurrency.
func WithConcurrency(n int) HandleOption { return func(o *handleOptions) { o.concurrency = n } }

// Registration is a served service.
type Registration struct {
	once sync.Once
	stop func()
}

// Close withdraws the service. Messages being handled are finished.
func (r *Registration) Close() error {
	r.once.Do(r.stop)
	return nil
}

// NodeAddress is the name under which a node handles messages sent to its own
// address, node:<peer ID>.
const NodeAddress = "node:"

// Handle serves a service, or with NodeAddress the node's own address, until
// the registration is closed. Several handlers of one service share its
// messages, those to all too: the node is one provider. Attributes tell them
// apart for selectors.
func (n *Node) Handle(service string, h Handler, opts ...HandleOption) (*Registration, error) {
	var o handleOptions
	for _, opt := range opts {
		opt(&o)
	}
	name := service
	if service == NodeAddress {
		name = servicerouting.NodeService
	} else if err := mesh.ValidName("service name", service); err != nil {
		return nil, fmt.Errorf("handle: %w", err)
	} else if strings.HasPrefix(service, "_") {
		return nil, fmt.Errorf("handle: %q: names that begin with _ are kept for the mesh itself: %w", service, mesh.ErrMalformed)
	}
	if err := mesh.ValidAttributes(o.attrs); err != nil {
		return nil, fmt.Errorf("handle %s: attributes: %w", service, err)
	}
	if o.concurrency < 0 {
		return nil, fmt.Errorf("handle %s: concurrency is %d: need at least 1", service, o.concurrency)
	}
	stop, err := n.fw.Handle(name, o.attrs, o.concurrency, func(ctx context.Context, d *servicerouting.Delivery) (servicerouting.Response, error) {
		r, err := h(ctx, message(d))
		return servicerouting.Response{Payload: r.Payload, ContentType: r.ContentType, Headers: r.Headers}, err
	})
	if err != nil {
		return nil, err
	}
	return &Registration{stop: stop}, nil
}

// message is a delivery as a handler sees it.
func message(d *servicerouting.Delivery) *Message {
	e := d.Envelope
	return &Message{
		ID: e.ID, From: e.Origin, To: e.Address, Mode: e.Mode, Class: e.Class, Request: e.Type == mesh.TypeRequest,
		ContentType: e.ContentType, Headers: e.Headers, Payload: e.Payload, Created: e.Created, Expires: e.Expires,
		Hops: d.Hops, Key: e.IdempotencyKey(), Redelivered: d.Redelivered,
		forward: func(ctx context.Context, selector string) (Reply, error) {
			r, err := d.Forward(ctx, selector)
			return reply(r), sendError("forward", e.Address.String(), r, err)
		},
	}
}
