package meshnode

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
)

// SendOption changes how a message is sent.
type SendOption func(*servicerouting.Outgoing)

// WithClass says what the returned word promises: mesh.ClassFire or
// mesh.ClassConfirm, the default.
func WithClass(c mesh.Class) SendOption { return func(o *servicerouting.Outgoing) { o.Class = c } }

// WithFailover allows another provider after an unknown outcome, which may
// double the effect.
func WithFailover() SendOption { return func(o *servicerouting.Outgoing) { o.Failover = true } }

// WithTTL bounds the hops, 1 to 10. Default 10.
func WithTTL(n int) SendOption {
	return func(o *servicerouting.Outgoing) {
		if n == 0 {
			n = -1 // zero means the default further down, and is an error here
		}
		o.TTL = n
	}
}

// WithHeader adds a header.
func WithHeader(name, value string) SendOption {
	return func(o *servicerouting.Outgoing) {
		if o.Headers == nil {
			o.Headers = make(map[string]string)
		}
		o.Headers[name] = value
	}
}

// WithContentType names the media type of the payload.
func WithContentType(t string) SendOption {
	return func(o *servicerouting.Outgoing) { o.ContentType = t }
}

// WithKey sets the idempotency key that the handler sees. Default: the ID.
func WithKey(key string) SendOption { return func(o *servicerouting.Outgoing) { o.Key = key } }

// WithID sets the message ID.
func WithID(id mesh.ID) SendOption { return func(o *servicerouting.Outgoing) { o.ID = id } }

// WithSticky sends messages with the same key to the same provider, as long as
// it is among the best that this node knows.
func WithSticky(key string) SendOption {
	return func(o *servicerouting.Outgoing) { o.Sticky = key }
}

// NoWait gives ErrBusy rather than wait for room.
func NoWait() SendOption { return func(o *servicerouting.Outgoing) { o.NoWait = true } }

// address reads an address; the node's own network needs no name.
func (n *Node) address(to string) (mesh.Address, error) {
	addr, err := mesh.ParseAddress(to)
	if err == nil && addr.Network == n.cfg.Network {
		addr.Network = ""
	}
	return addr, err
}

func (n *Node) outgoing(to string, payload []byte, request bool, opts []SendOption) (servicerouting.Outgoing, error) {
	addr, err := n.address(to)
	o := servicerouting.Outgoing{To: addr, Payload: payload, Request: request}
	if n.isClosed() {
		return o, ErrClosed
	}
	if err != nil {
		return o, err
	}
	if addr.Kind == mesh.KindGroup {
		return o, fmt.Errorf("%s is a group: use Broadcast: %w", to, mesh.ErrMalformed)
	}
	for _, opt := range opts {
		opt(&o)
	}
	if o.Class == mesh.ClassStored {
		return o, fmt.Errorf("class stored is not offered by this version: %w", mesh.ErrMalformed)
	}
	if request && o.Class == mesh.ClassFire {
		return o, fmt.Errorf("a request waits for a reply, class fire for nothing: use Publish: %w", mesh.ErrMalformed)
	}
	return o, nil
}

// Publish sends to one provider of a service, or to a node, and returns its
// receipt: the handler returned success. For class fire it returns once a
// link has taken the message. It waits for room, and until ctx's deadline, 30
// s without one, for the word.
func (n *Node) Publish(ctx context.Context, to string, payload []byte, opts ...SendOption) (Receipt, error) {
	o, err := n.outgoing(to, payload, false, opts)
	if err != nil {
		return Receipt{}, sendError("publish", to, servicerouting.Result{}, err)
	}
	r, err := n.fw.Publish(ctx, o)
	return receipt(r), sendError("publish", to, r, n.explain(o.To, err))
}

// PublishAll sends to every provider within the TTL, once each, and returns
// their receipts. It never claims to have reached everybody: providers that
// no branch of the mesh could reach are not known. Receipts come with an error when some
// may be missing, and with ErrNoProvider when there is none.
func (n *Node) PublishAll(ctx context.Context, to string, payload []byte, opts ...SendOption) ([]Receipt, error) {
	o, err := n.outgoing(to, payload, false, opts)
	if err != nil {
		return nil, sendError("publish", to, servicerouting.Result{}, err)
	}
	var all []Receipt
	err = n.fw.PublishAll(ctx, o, func(r servicerouting.Result) bool {
		all = append(all, receipt(r))
		return true
	})
	return all, sendError("publish", to, servicerouting.Result{ID: o.ID}, n.explain(o.To, err))
}

// Request sends to one provider and returns its reply.
func (n *Node) Request(ctx context.Context, to string, payload []byte, opts ...SendOption) (Reply, error) {
	o, err := n.outgoing(to, payload, true, opts)
	if err != nil {
		return Reply{}, sendError("request", to, servicerouting.Result{}, err)
	}
	r, err := n.fw.Publish(ctx, o)
	return reply(r), sendError("request", to, r, n.explain(o.To, err))
}

// RequestAll sends to every provider and yields each reply as it comes; a
// provider that failed is an error among them, and so is, at the end, nobody
// having answered, or ctx being over.
func (n *Node) RequestAll(ctx context.Context, to string, payload []byte, opts ...SendOption) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		o, err := n.outgoing(to, payload, true, opts)
		if err != nil {
			yield(Reply{}, sendError("request", to, servicerouting.Result{}, err))
			return
		}
		stopped := false
		err = n.fw.PublishAll(ctx, o, func(r servicerouting.Result) bool {
			stopped = !yield(reply(r), sendError("request", to, r, r.Status.Err()))
			return !stopped
		})
		if err != nil && !stopped {
			yield(Reply{}, sendError("request", to, servicerouting.Result{}, n.explain(o.To, err)))
		}
	}
}

// maxReasons is how many different reasons an error gives.
const maxReasons = 3

// explain turns "no provider" into "incapable" when providers are known, and
// tells why none of them matches the selector.
func (n *Node) explain(to mesh.Address, err error) error {
	if !errors.Is(err, mesh.ErrNoProvider) || to.Selector.IsZero() {
		return err
	}
	local, _ := n.fw.Local()
	known := local[to.Name]
	for _, p := range n.fw.Providers(to.Name) {
		known = append(known, p.Attributes)
	}
	var reasons []string
	for _, attrs := range known {
		why := to.Selector.Explain(attrs)
		if why == "" { // known and gone meanwhile, or no way leads to it
			return err
		}
		if len(reasons) < maxReasons && !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	if len(reasons) == 0 {
		return err
	}
	return fmt.Errorf("%w: of %d known of %q none matches %s: %s: %w", mesh.ErrNoProvider, len(known), to.Name, to.Selector, strings.Join(reasons, "; "), mesh.ErrIncapable)
}

func receipt(r servicerouting.Result) Receipt {
	out := Receipt{
		ID: r.ID, Provider: r.Provider, Status: r.Status, Hops: r.Hops, RTT: r.RTT, Attempts: r.Attempts, Detail: r.Detail,
	}
	if r.Receipt != nil {
		out.Load, out.Redelivered = int(r.Receipt.Load), r.Receipt.Redelivered
	}
	return out
}

func reply(r servicerouting.Result) Reply {
	out := Reply{From: r.Provider, Hops: r.Hops, RTT: r.RTT}
	switch {
	case r.Reply != nil:
		out.Payload, out.ContentType, out.Headers = r.Reply.Payload, r.Reply.ContentType, r.Reply.Headers
	case r.Response != nil:
		out.Payload, out.ContentType, out.Headers = r.Response.Payload, r.Response.ContentType, r.Response.Headers
	}
	return out
}
