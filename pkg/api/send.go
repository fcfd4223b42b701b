package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// serviceAddr reads the address of a path; a group has calls of its own.
func serviceAddr(r *http.Request) (string, error) {
	s := r.PathValue("addr")
	a, err := mesh.ParseAddress(s)
	if err != nil {
		return "", err
	}
	if a.Kind == mesh.KindGroup {
		return "", Fail(ErrUsage, "%s is a group: use /v1/groups/%s/messages", s, a.Name)
	}
	return s, nil
}

func (s *Server) publish(w http.ResponseWriter, r *http.Request) error {
	to, err := serviceAddr(r)
	if err != nil {
		return err
	}
	q := readQuery(r, sendQuery...)
	all := q.flag("all")
	o, timeout := q.send(r.Header)
	if q.err != nil {
		return q.err
	}
	body, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if !all {
		rec, err := s.cfg.Node.Publish(ctx, to, body, o)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, makeReceipt(rec))
		return nil
	}
	recs, err := s.cfg.Node.PublishAll(ctx, to, body, o)
	if err != nil && len(recs) == 0 {
		return err
	}
	out := Receipts{Head: head, Receipts: make([]Receipt, 0, len(recs))}
	for _, rec := range recs {
		out.Receipts = append(out.Receipts, makeReceipt(rec))
	}
	if err != nil {
		out.Error = NewProblem(err)
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

func (s *Server) request(w http.ResponseWriter, r *http.Request) error {
	to, err := serviceAddr(r)
	if err != nil {
		return err
	}
	q := readQuery(r, requestQuery...)
	all := q.flag("all")
	want := q.want(all)
	o, timeout := q.send(r.Header)
	if q.err != nil {
		return q.err
	}
	if want.N > 1 && q.text("id") == "" {
		o.ID = mesh.ID{} // each of the messages has one of its own
	}
	body, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	switch {
	case want != meshnode.Want{}:
		return s.gather(ctx, w, to, body, want, o)
	case all:
		return s.requestAll(ctx, w, r, to, body, o)
	}
	rep, err := s.cfg.Node.Request(ctx, to, body, o)
	if err != nil {
		return err
	}
	h := w.Header()
	for k, v := range rep.Headers {
		h.Set(headerPrefix+k, v)
	}
	h.Set("Mesh-Id", o.ID.String())
	h.Set("Mesh-Provider", rep.From.String())
	h.Set("Mesh-Hops", strconv.Itoa(rep.Hops))
	h.Set("Mesh-Rtt", rep.RTT.String())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(rep.Payload)))
	if rep.ContentType == "" {
		rep.ContentType = "application/octet-stream"
	}
	h.Set("Content-Type", rep.ContentType)
	_, _ = w.Write(rep.Payload) // the caller is gone when this fails
	return nil
}

// requestAll gives each reply as it comes, and each failure as a line too.
func (s *Server) requestAll(ctx context.Context, w http.ResponseWriter, r *http.Request, to string, body []byte, o Send) error {
	out, err := s.openStream(w, r)
	if err != nil {
		return err
	}
	defer out.close()
	if out.begin() != nil {
		return nil // the caller is gone
	}
	for rep, err := range s.cfg.Node.RequestAll(ctx, to, body, o) {
		var line any = makeReply(o.ID, rep)
		if err != nil {
			line = errorLine{head, NewProblem(err)}
		}
		if out.write("reply", o.ID.String(), line) != nil {
			return nil // the caller is gone
		}
	}
	return nil
}

func (s *Server) broadcast(w http.ResponseWriter, r *http.Request) error {
	group := r.PathValue("name")
	if err := mesh.ValidName("group name", group); err != nil {
		return err
	}
	q := readQuery(r, sendQuery...)
	o, timeout := q.send(r.Header)
	if q.err != nil {
		return q.err
	}
	body, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := s.cfg.Node.Broadcast(ctx, group, body, o); err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, makeReceipt(meshnode.Receipt{ID: o.ID}))
	return nil
}
