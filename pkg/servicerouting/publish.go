package servicerouting

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Outgoing is a message to send. Zero fields take their defaults.
type Outgoing struct {
	To          mesh.Address
	Mode        mesh.Mode  // default one
	Class       mesh.Class // default confirm
	Request     bool       // a reply is wanted
	ID          mesh.ID    // default: a new one
	Key         string     // idempotency key
	Payload     []byte
	ContentType string
	Headers     map[string]string
	TTL         int           // default 10
	Lifetime    time.Duration // default: until ctx ends, or 30 s; at most 10 min
	Failover    bool          // another provider may be asked after an unknown outcome
	NoWait      bool          // ErrBusy rather than wait for room
	Sticky      string        // messages with one key go to one provider, while it is among the best known
}

// Result is what became of a message at one provider.
type Result struct {
	ID       mesh.ID
	Status   mesh.Status
	Provider peer.ID
	Hops     int
	RTT      time.Duration
	Attempts int
	Detail   string
	Receipt  *mesh.Receipt  // when a receipt came from another node
	Reply    *mesh.Envelope // of a request: the reply
	Response *Response      // of a request to a handler of this node
}

// outgoing is a message of this node in its final bytes.
type outgoing struct {
	rest   []byte // what follows the hop header
	env    *mesh.Envelope
	key    router.Key
	noWait bool
	w      *waiter
	ended  atomic.Bool // nobody waits for it any more
}

// waiter collects the news of a publication.
type waiter struct {
	mu   sync.Mutex
	news []router.Outcome
	more chan struct{} // has a value when news is not empty
}

func (w *waiter) put(o router.Outcome) {
	w.mu.Lock()
	w.news = append(w.news, o)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *waiter) take() []router.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.news
	w.news = nil
	return out
}

// seal encodes and signs an envelope, once.
func (f *Forwarder) seal(e *mesh.Envelope) (*outgoing, error) {
	b, err := e.Encode()
	if err != nil {
		return nil, err
	}
	proof, err := mesh.SignEnvelope(f.cfg.Key, b)
	if err != nil {
		return nil, err
	}
	rest := make([]byte, 0, 4+len(b)+len(proof))
	rest = binary.BigEndian.AppendUint32(rest, uint32(len(b)))
	rest = append(append(rest, b...), proof...)
	var sum [16]byte
	return &outgoing{rest: rest, env: e, key: f.digest.sum(rest, sum[:])}, nil
}

// prepare makes the bytes of a message and its publication.
func (f *Forwarder) prepare(ctx context.Context, m *Outgoing) (*outgoing, *router.Pub, error) {
	if f.draining.Load() {
		return nil, nil, fmt.Errorf("this node takes no new messages: %w", mesh.ErrDraining)
	}
	if m.Mode == 0 {
		m.Mode = mesh.ModeOne
	}
	if m.Class == 0 {
		m.Class = mesh.ClassConfirm
	}
	if m.ID.IsZero() {
		m.ID = mesh.NewID()
	}
	if m.TTL == 0 {
		m.TTL = mesh.MaxTTL
	}
	if m.TTL < 1 || m.TTL > mesh.MaxTTL {
		return nil, nil, fmt.Errorf("TTL is %d: need 1 to %d: %w", m.TTL, mesh.MaxTTL, mesh.ErrMalformed)
	}
	now := f.cfg.Now()
	if m.Lifetime == 0 {
		m.Lifetime = mesh.DefaultLifetime
		if deadline, ok := ctx.Deadline(); ok {
			m.Lifetime = min(deadline.Sub(now), mesh.MaxLifetime)
		}
	}
	typ, lane := mesh.TypeData, uint8(3)
	if m.Request {
		typ, lane = mesh.TypeRequest, 2
	}
	// Milliseconds are what the wire can say; round the end up.
	created := now.Truncate(time.Millisecond)
	e := &mesh.Envelope{
		ID: m.ID, Origin: f.self, Network: f.cfg.Network, Address: m.To, Mode: m.Mode, Class: m.Class, Type: typ,
		ContentType: m.ContentType, Headers: m.Headers, Created: created,
		Expires: now.Add(m.Lifetime).Add(time.Millisecond - 1).Truncate(time.Millisecond),
		TTL:     uint8(m.TTL), Payload: m.Payload, Key: m.Key,
	}
	if !e.Expires.After(e.Created) {
		return nil, nil, fmt.Errorf("the deadline is over before the message was sent: %w", mesh.ErrExpired)
	}
	if e.Expires.Sub(e.Created) > mesh.MaxLifetime {
		e.Expires = e.Created.Add(mesh.MaxLifetime)
	}
	out, err := f.seal(e)
	if err != nil {
		return nil, nil, err
	}
	out.noWait = m.NoWait
	out.w = &waiter{more: make(chan struct{}, 1)}
	return out, &router.Pub{
		ID: m.ID, To: m.To, Mode: m.Mode, Class: m.Class, Request: m.Request, TTL: uint8(m.TTL), Expires: e.Expires,
		Failover: m.Failover, NoWait: m.NoWait, Sticky: m.Sticky, Lane: lane, Key: out.key, Tag: out,
	}, nil
}

// Publish sends to one provider and waits for the word that the class
// promises: for fire, that a link has taken it. The error is one of the
// sentinels of package mesh, or of ctx.
func (f *Forwarder) Publish(ctx context.Context, m Outgoing) (Result, error) {
	m.Mode = mesh.ModeOne
	if err := f.admit(ctx, m.NoWait); err != nil {
		return Result{}, err
	}
	out, p, err := f.prepare(ctx, &m)
	if err != nil {
		return Result{}, err
	}
	return f.await(ctx, out, p)
}

// await runs a publication to one provider.
func (f *Forwarder) await(ctx context.Context, out *outgoing, p *router.Pub) (Result, error) {
	f.counters.accepted.Add(1)
	f.decide(nil, func(r *router.Router, now time.Time) { r.Publish(now, p) })
	for {
		for _, o := range out.w.take() {
			if o.Final {
				f.counters.settle(o.Status)
				f.handlers.notify()
				res := result(p.ID, o)
				return res, o.Status.Err()
			}
		}
		select {
		case <-out.w.more:
		case <-ctx.Done():
			res := f.abandon(p, mesh.StatusTimeout, errors.Is(ctx.Err(), context.DeadlineExceeded))
			return res, fmt.Errorf("%w: %w", res.Status.Err(), ctx.Err())
		case <-f.ctx.Done():
			return f.abandon(p, mesh.StatusUnknown, false), mesh.ErrUnknown
		}
	}
}

// abandon ends a publication whose caller waits no longer, because its time is
// over or for reasons of its own.
func (f *Forwarder) abandon(p *router.Pub, st mesh.Status, late bool) Result {
	res := Result{ID: p.ID, Status: st}
	f.decide(nil, func(r *router.Router, now time.Time) {
		var last mesh.Status
		if res.Provider, last = r.Cancel(now, p, late); last != 0 && st != mesh.StatusOK {
			res.Status = last // nothing was done, and that is known
		}
	})
	if out, ok := p.Tag.(*outgoing); ok {
		out.ended.Store(true)
	}
	f.counters.settle(res.Status)
	f.handlers.notify()
	return res
}

// PublishAll sends to every provider within the TTL and calls each with what
// each of them answered, until all have, or each returns false, or ctx ends.
// Nobody answering is ErrNoProvider; a class of fire waits for nothing.
func (f *Forwarder) PublishAll(ctx context.Context, m Outgoing, each func(Result) bool) error {
	m.Mode = mesh.ModeAll
	if err := f.admit(ctx, m.NoWait); err != nil {
		return err
	}
	out, p, err := f.prepare(ctx, &m)
	if err != nil {
		return err
	}
	f.counters.accepted.Add(1)
	f.decide(nil, func(r *router.Router, now time.Time) { r.Publish(now, p) })
	if m.Class == mesh.ClassFire {
		f.counters.settle(mesh.StatusOK)
		return nil
	}
	got := 0
	for {
		for _, o := range out.w.take() {
			switch {
			case !o.Final:
				got++
				if !each(result(p.ID, o)) {
					f.abandon(p, mesh.StatusOK, false)
					return nil
				}
			case o.Status == mesh.StatusTimeout && got > 0:
				f.counters.settle(mesh.StatusOK)
				return fmt.Errorf("%d answered, others may not have: %w", got, mesh.ErrTimeout)
			default:
				f.counters.settle(o.Status)
				f.handlers.notify()
				return o.Status.Err()
			}
		}
		select {
		case <-out.w.more:
		case <-ctx.Done():
			f.abandon(p, mesh.StatusTimeout, false)
			return fmt.Errorf("%w: %w", mesh.ErrTimeout, ctx.Err())
		case <-f.ctx.Done():
			f.abandon(p, mesh.StatusUnknown, false)
			return mesh.ErrUnknown
		}
	}
}

// news hands an outcome to whoever waits for it.
func (f *Forwarder) news(a *router.Action) {
	if out, ok := a.Pub.Tag.(*outgoing); ok && out.w != nil {
		if a.Outcome.Final {
			out.ended.Store(true)
		}
		out.w.put(a.Outcome)
		if a.Outcome.Final {
			f.handlers.notify()
		}
	}
}

func result(id mesh.ID, o router.Outcome) Result {
	r := Result{
		ID: id, Status: o.Status, Provider: o.Provider, Hops: int(o.Hops), RTT: o.RTT, Attempts: o.Attempts, Detail: o.Detail,
	}
	switch b := o.Body.(type) {
	case *mesh.Receipt:
		r.Receipt = b
	case *mesh.Envelope:
		r.Reply = b
	case *Response:
		r.Response = b
	}
	return r
}

// NodeService is the name under which Handle serves the node's own address.
const NodeService = router.NodeService

// Find looks for a provider of an address with a probe: ErrNoProvider when
// nobody answers it. What it finds, Providers tells.
func (f *Forwarder) Find(ctx context.Context, to mesh.Address) error {
	out := &outgoing{w: &waiter{more: make(chan struct{}, 1)}}
	p := &router.Pub{
		ID: mesh.NewID(), To: to, Mode: mesh.ModeOne, Class: mesh.ClassConfirm, TTL: mesh.MaxTTL,
		Expires: f.cfg.Now().Add(findFor), Tag: out, Only: true,
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Publish(now, p) })
	for {
		for _, o := range out.w.take() {
			if o.Final {
				return o.Status.Err()
			}
		}
		select {
		case <-out.w.more:
		case <-ctx.Done():
			f.decide(nil, func(r *router.Router, now time.Time) { r.Cancel(now, p, false) })
			return ctx.Err()
		case <-f.ctx.Done():
			return mesh.ErrUnknown
		}
	}
}

// findFor bounds a search: the rings together take a second.
const findFor = 2 * time.Second
