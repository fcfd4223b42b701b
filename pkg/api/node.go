package api

import (
	"context"
	"io"
	"iter"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Send holds the options of one message; the zero value is a plain one.
type Send struct {
	ID          mesh.ID    // zero: drawn
	Class       mesh.Class // 0: confirm
	Failover    bool       // after an unknown outcome another provider may be asked
	TTL         int        // hops, 1 to mesh.MaxTTL; 0: mesh.MaxTTL
	Key         string     // idempotency key; empty: the ID
	Sticky      string     // messages with the same key go to the same provider, while it is among the best known
	NoWait      bool       // fail with mesh.ErrBusy instead of waiting for room
	ContentType string
	Headers     map[string]string
}

// Subscription holds the options of a subscriber.
type Subscription struct {
	Policy     meshnode.Policy // what to do when the reader is slow
	Buffer     int             // messages, 1 to MaxBuffer; 0: 256
	Attributes mesh.Attributes
}

// Serve holds the options of a worker.
type Serve struct {
	Concurrency int // items held at one time, 1 to MaxConcurrency; 0: 16
	Attributes  mesh.Attributes
}

// Condition is what Wait waits for: all fields that are set.
type Condition struct {
	Ready   bool
	Peers   int
	Service string
}

// Node is what the server needs of a node. ForNode makes one of a
// *meshnode.Node.
type Node interface {
	Publish(ctx context.Context, to string, payload []byte, o Send) (meshnode.Receipt, error)
	PublishAll(ctx context.Context, to string, payload []byte, o Send) ([]meshnode.Receipt, error)
	Request(ctx context.Context, to string, payload []byte, o Send) (meshnode.Reply, error)
	RequestAll(ctx context.Context, to string, payload []byte, o Send) iter.Seq2[meshnode.Reply, error]
	Gather(ctx context.Context, to string, payload []byte, want meshnode.Want, o Send) (meshnode.Gathered, error)
	Broadcast(ctx context.Context, group string, payload []byte, o Send) error
	Subscribe(ctx context.Context, to string, o Subscription) (iter.Seq2[*meshnode.Message, error], error)
	Handle(service string, h meshnode.Handler, o Serve) (io.Closer, error)
	Resolve(ctx context.Context, to string) ([]meshnode.ProviderInfo, error)
	Explain(ctx context.Context, to string) ([]meshnode.CandidateInfo, error)
	Wait(ctx context.Context, c Condition) error
	Connect(ctx context.Context, addr string) (peer.ID, error)
	Disconnect(ctx context.Context, id peer.ID) error
	Drain(ctx context.Context) error
	Undrain()
	Peers() []meshnode.PeerInfo
	Routes() []meshnode.RouteInfo
	Services() []meshnode.ServiceInfo
	Groups() []meshnode.GroupInfo
	Status() meshnode.Status
}

// ForNode adapts a node: option structs become the root package's options.
func ForNode(n *meshnode.Node) Node { return adapter{n} }

type adapter struct{ *meshnode.Node }

func (a adapter) Publish(ctx context.Context, to string, payload []byte, o Send) (meshnode.Receipt, error) {
	return a.Node.Publish(ctx, to, payload, o.options()...)
}

func (a adapter) PublishAll(ctx context.Context, to string, payload []byte, o Send) ([]meshnode.Receipt, error) {
	return a.Node.PublishAll(ctx, to, payload, o.options()...)
}

func (a adapter) Request(ctx context.Context, to string, payload []byte, o Send) (meshnode.Reply, error) {
	return a.Node.Request(ctx, to, payload, o.options()...)
}

func (a adapter) RequestAll(ctx context.Context, to string, payload []byte, o Send) iter.Seq2[meshnode.Reply, error] {
	return a.Node.RequestAll(ctx, to, payload, o.options()...)
}

func (a adapter) Gather(ctx context.Context, to string, payload []byte, want meshnode.Want, o Send) (meshnode.Gathered, error) {
	return a.Node.Gather(ctx, to, payload, want, o.options()...)
}

func (a adapter) Broadcast(ctx context.Context, group string, payload []byte, o Send) error {
	return a.Node.Broadcast(ctx, group, payload, o.options()...)
}

func (a adapter) Subscribe(ctx context.Context, to string, o Subscription) (iter.Seq2[*meshnode.Message, error], error) {
	opts := []meshnode.SubscribeOption{meshnode.WithPolicy(o.Policy), meshnode.WithBuffer(o.Buffer)}
	if len(o.Attributes) > 0 {
		opts = append(opts, meshnode.SubscribeAttributes(o.Attributes))
	}
	return a.Node.Subscribe(ctx, to, opts...)
}

func (a adapter) Handle(service string, h meshnode.Handler, o Serve) (io.Closer, error) {
	return a.Node.Handle(service, h, meshnode.WithConcurrency(o.Concurrency), meshnode.WithAttributes(o.Attributes))
}

func (a adapter) Wait(ctx context.Context, c Condition) error {
	if err := a.Ready(ctx); err != nil {
		return err
	}
	var conds []meshnode.Condition
	if c.Peers > 0 {
		conds = append(conds, meshnode.PeersAtLeast(c.Peers))
	}
	if c.Service != "" {
		conds = append(conds, meshnode.ServiceKnown(c.Service))
	}
	if len(conds) == 0 {
		return nil
	}
	return a.Node.Wait(ctx, conds...)
}

func (o Send) options() []meshnode.SendOption {
	var opts []meshnode.SendOption
	if !o.ID.IsZero() {
		opts = append(opts, meshnode.WithID(o.ID))
	}
	if o.Class != 0 {
		opts = append(opts, meshnode.WithClass(o.Class))
	}
	if o.Failover {
		opts = append(opts, meshnode.WithFailover())
	}
	if o.TTL != 0 {
		opts = append(opts, meshnode.WithTTL(o.TTL))
	}
	if o.Key != "" {
		opts = append(opts, meshnode.WithKey(o.Key))
	}
	if o.Sticky != "" {
		opts = append(opts, meshnode.WithSticky(o.Sticky))
	}
	if o.NoWait {
		opts = append(opts, meshnode.NoWait())
	}
	if o.ContentType != "" {
		opts = append(opts, meshnode.WithContentType(o.ContentType))
	}
	for k, v := range o.Headers {
		opts = append(opts, meshnode.WithHeader(k, v))
	}
	return opts
}
