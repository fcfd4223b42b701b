package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// item is one message that a worker in another process is to answer.
type item struct {
	id     string
	msg    *meshnode.Message
	answer chan answer // room for the one answer
}

type answer struct {
	reply meshnode.Reply
	err   error
}

// pending holds the items that were handed out. The workers' concurrency
// bounds it.
type pending struct {
	mu    sync.Mutex
	items map[string]*item
}

func (p *pending) put(it *item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items[it.id] = it
}

// take removes an item, so that it is answered once; nil when it is not there.
func (p *pending) take(id string) *item {
	p.mu.Lock()
	defer p.mu.Unlock()
	it := p.items[id]
	delete(p.items, id)
	return it
}

// worker stands for one process that takes work from a stream.
type worker struct {
	pending *pending
	hand    chan *item    // to the stream's loop
	gone    chan struct{} // closed when the stream has ended
}

var errWorkerGone = errors.New("the worker went away without an answer")

// handle is the service's handler. Before the item is handed out nothing was
// done, so the sender may try elsewhere; afterwards a lost worker is a failed
// handler.
func (k *worker) handle(ctx context.Context, m *meshnode.Message) (meshnode.Reply, error) {
	it := &item{id: mesh.NewID().String(), msg: m, answer: make(chan answer, 1)}
	select {
	case k.hand <- it:
	case <-k.gone:
		return meshnode.Reply{}, meshnode.Retryable(fmt.Errorf("the worker went away: %w", mesh.ErrBusy))
	case <-ctx.Done():
		return meshnode.Reply{}, meshnode.Retryable(fmt.Errorf("no worker took it in time: %w", mesh.ErrBusy))
	}
	defer k.pending.take(it.id)
	select {
	case a := <-it.answer:
		return a.reply, a.err
	case <-k.gone:
	case <-ctx.Done():
	}
	select {
	case a := <-it.answer: // it came with the end
		return a.reply, a.err
	default:
	}
	if err := ctx.Err(); err != nil {
		return meshnode.Reply{}, fmt.Errorf("the worker did not answer in time: %w", err)
	}
	return meshnode.Reply{}, errWorkerGone
}

// serveWork serves a service for as long as the caller reads its work.
func (s *Server) serveWork(w http.ResponseWriter, r *http.Request) error {
	service := r.PathValue("addr")
	if err := mesh.ValidName("service name", service); err != nil {
		return err
	}
	q := readQuery(r, "concurrency", "attr")
	o := Serve{Concurrency: q.number("concurrency", 1, MaxConcurrency), Attributes: q.attributes()}
	if q.err != nil {
		return q.err
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	out, err := s.openStream(w, r)
	if err != nil {
		return err
	}
	defer out.close()
	k := &worker{pending: &s.work, hand: make(chan *item), gone: make(chan struct{})}
	reg, err := s.cfg.Node.Handle(service, k.handle, o)
	if err != nil {
		return err
	}
	// Handlers must end before the registration can.
	defer func() {
		close(k.gone)
		if err := reg.Close(); err != nil {
			s.log.Warn("withdraw a service", "service", service, "err", err)
		}
	}()
	if out.begin() != nil {
		return nil // the worker is gone
	}
	for {
		select {
		case <-out.ctx.Done():
			return nil
		case it := <-k.hand:
			s.work.put(it)
			if out.write("work", it.id, Work{Message: makeMessage(it.msg), Work: it.id}) != nil {
				return nil // the worker is gone
			}
		}
	}
}

// answerWork ends one item: outcome ok (the default; the body is the reply),
// failed (detail says why) or busy (nothing was done, ask another).
func (s *Server) answerWork(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "outcome", "detail")
	var a answer
	detail := q.text("detail")
	switch v := q.text("outcome"); v {
	case "", "ok":
	case "failed":
		if detail == "" {
			detail = "the worker failed"
		}
		a.err = errors.New(detail)
	case "busy":
		a.err = meshnode.Retryable(fmt.Errorf("%w: %s", mesh.ErrBusy, detail))
	default:
		q.fail("outcome", v, "want ok, failed or busy")
	}
	if q.err != nil {
		return q.err
	}
	body, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	a.reply = meshnode.Reply{Payload: body, ContentType: r.Header.Get("Content-Type")}
	for name, values := range r.Header {
		if k, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			if a.reply.Headers == nil {
				a.reply.Headers = make(map[string]string)
			}
			a.reply.Headers[strings.ToLower(k)] = values[0]
		}
	}
	it := s.work.take(r.PathValue("id"))
	if it == nil {
		return Fail(ErrNotFound, "work item %q is not waiting: answered before, or expired", r.PathValue("id"))
	}
	it.answer <- a
	writeJSON(w, http.StatusOK, Done{head, "answered"})
	return nil
}
