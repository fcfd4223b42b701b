package servicerouting

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/ledger"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Delivery is a message for a handler.
type Delivery struct {
	Envelope    *mesh.Envelope
	Hops        int
	Redelivered bool

	f    *Forwarder
	rest []byte
	hop  mesh.HopHeader
	home bool // it was sent by this node
	once sync.Once
}

// Response is what a handler answers to a request.
type Response struct {
	Payload     []byte
	ContentType string
	Headers     map[string]string
}

// Handler does the work of a service. ctx ends when the message expires, or
// the forwarder closes.
type Handler func(ctx context.Context, d *Delivery) (Response, error)

// Retryable marks an error of a handler that has done nothing: the sender
// may try elsewhere.
func Retryable(err error) error { return &retryable{err} }

type retryable struct{ error }

func (r *retryable) Unwrap() error { return r.error }

// handlers holds the registrations of this node and the ledger.
type handlers struct {
	mu       sync.Mutex
	byName   map[string][]*registration
	next     map[string]int
	bytes    int // waiting for a handler
	active   int // deliveries queued or running
	change   chan struct{}
	watched  bool // somebody holds change
	ledger   *ledger.Ledger
	awaiting map[ledger.Key][]router.Token // duplicates that wait for a result
}

// registration is one handler of a service, with its queue.
type registration struct {
	service string
	attrs   mesh.Attributes
	digest  uint64 // of attrs
	since   time.Time
	fn      Handler
	limit   int
	running int
	queue   []*job
}

// job is one message on its way to a handler.
type job struct {
	token router.Token
	rest  []byte // envelope and proof
	env   *mesh.Envelope
	local bool
}

func (h *handlers) init(l *ledger.Ledger) {
	h.byName, h.next = make(map[string][]*registration), make(map[string]int)
	h.change, h.ledger = make(chan struct{}), l
	h.awaiting = make(map[ledger.Key][]router.Token)
}

// Handle serves a name until the returned function is called. Several
// handlers of one name share its messages, those to all too: the node is one
// provider. concurrency 0 is the default of Config. The levels of the node's
// zone are among its attributes unless attrs say otherwise.
func (f *Forwarder) Handle(service string, attrs mesh.Attributes, concurrency int, fn Handler) (func(), error) {
	if concurrency == 0 {
		concurrency = f.cfg.Concurrency
	}
	h := &f.handlers
	attrs = f.zoned(attrs)
	reg := &registration{service: service, attrs: attrs, digest: attrs.Digest(), since: f.cfg.Now(), fn: fn, limit: concurrency}
	h.mu.Lock()
	h.byName[service] = append(h.byName[service], reg)
	h.mu.Unlock()
	f.announce(service)
	return func() {
		h.mu.Lock()
		h.byName[service] = slices.DeleteFunc(h.byName[service], func(r *registration) bool { return r == reg })
		last := len(h.byName[service]) == 0
		if last {
			delete(h.byName, service)
		}
		h.mu.Unlock()
		f.announce(service)
		if last {
			f.mu.Lock()
			all := f.neighboursLocked()
			f.mu.Unlock()
			for _, n := range all {
				n.link.Withdraw(service)
			}
		}
	}, nil
}

// zoned adds the node's zone to attributes that do not name one.
func (f *Forwarder) zoned(attrs mesh.Attributes) mesh.Attributes {
	if len(f.cfg.Router.Zone) == 0 {
		return attrs
	}
	out := make(mesh.Attributes, len(attrs)+len(f.cfg.Router.Zone))
	for _, level := range f.cfg.Router.Zone {
		out[level.Name] = level.Value
	}
	maps.Copy(out, attrs)
	return out
}

// announce tells the router what is served under a name now.
func (f *Forwarder) announce(service string) {
	h := &f.handlers
	f.decide(nil, func(r *router.Router, now time.Time) {
		h.mu.Lock()
		var attrs []mesh.Attributes
		for _, reg := range h.byName[service] {
			attrs = append(attrs, reg.attrs)
		}
		h.mu.Unlock()
		r.SetLocal(now, service, attrs)
	})
}

// deliver takes a message for this node: a reply or receipt for one of its
// publications, a probe, or work for a handler.
func (f *Forwarder) deliver(b *batch, a *router.Action) {
	if out, ok := a.Tag.(*outgoing); ok {
		f.enqueue(a, &job{token: a.Token, rest: out.rest, env: out.env, local: true})
		return
	}
	frame := b.in[a.Ref].Bytes
	i := slices.IndexFunc(b.frames, func(fr router.Frame) bool { return fr.Ref == a.Ref })
	switch b.frames[i].View.Type {
	case mesh.TypeReply:
		f.replied(a, frame)
	case mesh.TypeReceipt:
		f.strayed(a, frame)
	case mesh.TypeProbe:
		f.able(a, string(b.frames[i].View.Address))
	default:
		f.enqueue(a, &job{token: a.Token, rest: slices.Clone(frame[mesh.HopHeaderLen:])})
	}
}

// replied ends a request by its reply.
func (f *Forwarder) replied(a *router.Action, frame []byte) {
	p := a.Pub
	if p == nil {
		f.counters.dropped.Add(1)
		return // late, or of a request that nobody waits for
	}
	env, err := f.open(slices.Clone(frame[mesh.HopHeaderLen:]))
	if err != nil {
		return
	}
	if env.Correlation != p.ID {
		f.counters.badProof.Add(1)
		return
	}
	st := env.Status
	if st == 0 {
		st = mesh.StatusOK
	}
	f.decide(nil, func(r *router.Router, now time.Time) {
		r.Replied(now, p, a.Port, uint8(a.Token.HopCount()), router.Checked{Status: st, Provider: env.Origin, Load: env.Load, Attributes: env.Attributes, Detail: env.Detail, Body: env})
	})
}

// strayed ends a publication by a receipt that came as a message.
func (f *Forwarder) strayed(a *router.Action, frame []byte) {
	env, err := f.open(slices.Clone(frame[mesh.HopHeaderLen:]))
	if err != nil {
		return
	}
	rc, err := mesh.OpenReceipt(env.Payload)
	if err != nil || rc.Origin != f.self || a.Pub == nil || rc.ID != a.Pub.ID {
		f.counters.badProof.Add(1)
		return
	}
	f.decide(nil, func(r *router.Router, now time.Time) {
		r.Stray(now, rc.ID, a.Port, uint8(a.Token.HopCount()), checked(rc))
	})
}

// open decodes an envelope and checks its proof.
func (f *Forwarder) open(rest []byte) (*mesh.Envelope, error) {
	envelope, proof, err := splitRest(rest)
	if err != nil {
		f.counters.malformed.Add(1)
		return nil, err
	}
	env, err := mesh.DecodeEnvelope(envelope)
	if err != nil {
		f.counters.malformed.Add(1)
		return nil, err
	}
	if err := mesh.VerifyEnvelope(env.Origin, envelope, proof); err != nil {
		f.counters.badProof.Add(1)
		return nil, err
	}
	return env, nil
}

// enqueue gives a job to a handler of the service whose attributes match, to
// each in turn of those that meet most of what is preferred.
func (f *Forwarder) enqueue(a *router.Action, j *job) {
	h := &f.handlers
	name := a.Address.Name
	if a.Address.Kind == mesh.KindNode {
		name = router.NodeService
	}
	h.mu.Lock()
	regs := h.able(name, a.Address.Selector)
	if len(regs) == 0 {
		h.mu.Unlock()
		f.answer(j, mesh.StatusNoProvider, "")
		return
	}
	h.next[name]++
	reg := regs[h.next[name]%len(regs)]
	if len(reg.queue) >= f.cfg.HandlerQueue || h.bytes+len(j.rest) > f.cfg.HandlerBytes {
		h.mu.Unlock()
		f.counters.busy.Add(1)
		f.answer(j, mesh.StatusBusy, "")
		return
	}
	h.active++
	if reg.running >= reg.limit {
		reg.queue = append(reg.queue, j)
		h.bytes += len(j.rest)
		h.mu.Unlock()
		return
	}
	reg.running++
	h.mu.Unlock()
	f.wg.Go(func() { f.work(reg, j) })
}

// work runs jobs of a registration until its queue is empty.
func (f *Forwarder) work(reg *registration, j *job) {
	h := &f.handlers
	for j != nil {
		f.handle(reg, j)
		h.mu.Lock()
		h.active--
		j = nil
		if len(reg.queue) > 0 {
			j = reg.queue[0]
			reg.queue[0] = nil
			reg.queue = reg.queue[1:]
			h.bytes -= len(j.rest)
		} else {
			reg.running--
		}
		h.mu.Unlock()
		h.notify()
	}
}

// handle is the end of the trip: verify, ledger, handler, answer.
func (f *Forwarder) handle(reg *registration, j *job) {
	if j.env == nil {
		env, err := f.open(j.rest)
		if err != nil {
			f.answer(j, statusOf(err), err.Error())
			return
		}
		j.env = env
	}
	now := f.cfg.Now()
	if err := mesh.CheckTime(now, mesh.TimeOf(j.env.Created), mesh.TimeOf(j.env.Expires)); err != nil {
		f.counters.expired.Add(1)
		f.answer(j, statusOf(err), err.Error())
		return
	}
	h := &f.handlers
	key := ledger.Key{Service: reg.service, Origin: j.env.Origin, ID: j.env.ID}
	h.mu.Lock()
	verdict, res, redelivered := h.ledger.Begin(now, key, j.env.Expires)
	if verdict == ledger.Wait && len(h.awaiting[key]) < 8 {
		h.awaiting[key] = append(h.awaiting[key], j.token)
	}
	h.mu.Unlock()
	switch verdict {
	case ledger.Wait:
		f.counters.duplicates.Add(1)
		f.decide(nil, func(r *router.Router, now time.Time) {
			r.Answered(now, j.token, mesh.StatusWorking, nil, router.Checked{})
		})
		return
	case ledger.Again:
		f.counters.duplicates.Add(1)
		f.finish(j, res)
		return
	case ledger.Busy:
		f.counters.busy.Add(1)
		f.answer(j, mesh.StatusBusy, "delivery ledger is full")
		return
	}
	res, again := f.call(reg, j, redelivered)
	h.mu.Lock()
	h.ledger.Finish(f.cfg.Now(), key, res, again)
	waiting := h.awaiting[key]
	delete(h.awaiting, key)
	h.mu.Unlock()
	f.finish(j, res)
	for _, t := range waiting {
		f.finish(&job{token: t, env: j.env, local: j.local}, res)
	}
}

// call runs the handler; its panic is a result like another.
func (f *Forwarder) call(reg *registration, j *job, redelivered bool) (res ledger.Result, clear bool) {
	ctx, cancel := context.WithDeadline(f.ctx, f.deadline(j.env))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			f.counters.panics.Add(1)
			f.cfg.Logger.Error("handler panicked", "service", reg.service, "msg", j.env.ID, "panic", p)
			res, clear = ledger.Result{Status: mesh.StatusHandlerPanicked, Detail: fmt.Sprint("panic: ", p)}, false
		}
	}()
	f.counters.handled.Add(1)
	d := &Delivery{
		Envelope: j.env, Hops: j.token.HopCount(), Redelivered: redelivered,
		f: f, rest: j.rest, hop: j.token.Hop, home: j.local,
	}
	out, err := reg.fn(ctx, d)
	if err == nil {
		return ledger.Result{Status: mesh.StatusOK, Payload: out.Payload, ContentType: out.ContentType, Headers: out.Headers, Redelivered: redelivered}, false
	}
	var again *retryable
	if errors.As(err, &again) {
		return ledger.Result{Status: mesh.StatusBusy, Detail: err.Error()}, true
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) { // its time was over: what it did nobody knows
		return ledger.Result{Status: mesh.StatusTimeout, Detail: err.Error(), Redelivered: redelivered}, false
	}
	return ledger.Result{Status: mesh.StatusHandlerFailed, Detail: err.Error(), Redelivered: redelivered}, false
}

// deadline is until when a message is worth working on: its expiry, or when
// our clock and its origin's differ so much that this makes no sense, its
// lifetime from now. It is never less than a second away.
func (f *Forwarder) deadline(e *mesh.Envelope) time.Time {
	now := f.cfg.Now()
	left, life := e.Expires.Sub(now), e.Expires.Sub(e.Created)
	if left < 0 || left > life {
		left = life
	}
	return now.Add(max(left, time.Second))
}

// finish sends a result home: as a reply to a request that worked, otherwise
// as a receipt.
func (f *Forwarder) finish(j *job, res ledger.Result) {
	if j.local || j.env.Type != mesh.TypeRequest || res.Status.Negative() {
		f.receipt(j, res)
		return
	}
	now := f.cfg.Now()
	e := &mesh.Envelope{
		ID: mesh.NewID(), Origin: f.self, Network: f.cfg.Network, Address: mesh.Node(j.env.Origin), Mode: mesh.ModeOne,
		Class: mesh.ClassFire, Type: mesh.TypeReply, ContentType: res.ContentType, Headers: res.Headers,
		Correlation: j.env.ID, Created: now, Expires: f.deadline(j.env), TTL: mesh.MaxTTL, Payload: res.Payload,
		Status: res.Status, Detail: mesh.Clip(res.Detail),
	}
	e.Load, e.Attributes = f.standing(j.env.Address.Name)
	out, err := f.seal(e)
	if err != nil {
		f.receipt(j, ledger.Result{Status: mesh.StatusHandlerFailed, Detail: "reply: " + err.Error()})
		return
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Reply(now, j.token, out.key, out) })
}

// receipt sends a signed word home.
func (f *Forwarder) receipt(j *job, res ledger.Result) {
	local := router.Checked{Detail: res.Detail}
	var body []byte
	if j.local {
		local.Body = &Response{Payload: res.Payload, ContentType: res.ContentType, Headers: res.Headers}
	} else if j.env.Class != mesh.ClassFire {
		rc := mesh.Receipt{
			ID: j.env.ID, Origin: j.env.Origin, Provider: f.self, Service: j.env.Address.Name, Status: res.Status,
			Detail: res.Detail, At: f.cfg.Now(), Redelivered: res.Redelivered,
		}
		rc.Load, rc.Attributes = f.standing(j.env.Address.Name)
		var err error
		if body, err = rc.Seal(f.cfg.Key); err != nil {
			f.cfg.Logger.Error("receipt", "err", err)
			return
		}
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Answered(now, j.token, res.Status, body, local) })
}

// answer says why a message did not reach a handler. It is not signed: it
// costs only the way it takes, and a sender of junk shall not cost a signature.
func (f *Forwarder) answer(j *job, st mesh.Status, detail string) {
	f.decide(nil, func(r *router.Router, now time.Time) {
		r.Answered(now, j.token, st, nil, router.Checked{Detail: detail})
	})
}

// standing is what a word of this node says beside the outcome: the share of
// the service's handlers that are busy, in percent, and the digest of its
// attributes, 0 when its handlers have several.
func (f *Forwarder) standing(service string) (load uint8, attributes uint64) {
	h := &f.handlers
	h.mu.Lock()
	defer h.mu.Unlock()
	busy, limit := 0, 0
	for i, reg := range h.byName[service] {
		busy += reg.running + len(reg.queue)
		limit += reg.limit
		if i == 0 {
			attributes = reg.digest
		} else if reg.digest != attributes {
			attributes = 0
		}
	}
	if limit == 0 {
		return 0, 0
	}
	return uint8(min(100, 100*busy/limit)), attributes
}

func (h *handlers) sweep(now time.Time) {
	h.mu.Lock()
	h.ledger.Sweep(now, 4096)
	h.mu.Unlock()
}

func (h *handlers) running() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.active
}

// changed gives a channel that is closed at the next change of what is in
// flight, or of the links.
func (h *handlers) changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched = true
	return h.change
}

func (h *handlers) notify() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watched {
		close(h.change)
		h.change, h.watched = make(chan struct{}), false
	}
}
