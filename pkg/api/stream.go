package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// stream writes items to a response as they come, one line or event each.
type stream struct {
	s   *Server
	w   http.ResponseWriter
	rc  *http.ResponseController
	sse bool
	ctx context.Context // ends with the call, or with the server
	end func()
}

// openStream takes a slot; nothing is sent before begin.
func (s *Server) openStream(w http.ResponseWriter, r *http.Request) (*stream, error) {
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, Fail(ErrStreams, "%d streams are open, no more are taken", MaxStreams)
	}
	ctx, cancel := context.WithCancel(r.Context())
	detach := context.AfterFunc(s.ctx, cancel)
	return &stream{
		s: s, w: w, rc: http.NewResponseController(w), ctx: ctx, end: func() { detach(); cancel() },
		sse: strings.Contains(r.Header.Get("Accept"), "text/event-stream"),
	}, nil
}

// begin sends the response's head, which tells the caller that it works.
func (o *stream) begin() error {
	kind := "application/x-ndjson"
	if o.sse {
		kind = "text/event-stream"
	}
	h := o.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	o.w.WriteHeader(http.StatusOK)
	return o.rc.Flush()
}

// close gives the slot back, and the connection to its next call.
func (o *stream) close() {
	o.end()
	_ = o.rc.SetWriteDeadline(time.Time{})
	<-o.s.streams
}

// write sends one item. An error means that the reader is gone or stalled.
func (o *stream) write(event, id string, v any) error {
	var b bytes.Buffer
	if o.sse {
		fmt.Fprintf(&b, "event: %s\nid: %s\ndata: ", event, id)
	}
	if err := encode(&b, v); err != nil {
		return err
	}
	if o.sse {
		b.WriteByte('\n')
	}
	if err := o.rc.SetWriteDeadline(time.Now().Add(o.s.cfg.Stall)); err != nil {
		return err
	}
	_, err := o.w.Write(b.Bytes())
	if err == nil {
		err = o.rc.Flush()
	}
	if err != nil {
		o.s.log.Warn("a stream was cut: its reader is gone or takes nothing", "err", err)
	}
	return err
}

func (s *Server) subscribeService(w http.ResponseWriter, r *http.Request) error {
	to, err := serviceAddr(r)
	if err != nil {
		return err
	}
	return s.subscribe(w, r, to)
}

func (s *Server) subscribeGroup(w http.ResponseWriter, r *http.Request) error {
	group := r.PathValue("name")
	if err := mesh.ValidName("group name", group); err != nil {
		return err
	}
	return s.subscribe(w, r, "group:"+group)
}

// subscribe lets the node hold the buffer: a slow reader stops the loop, and
// the node's policy decides what becomes of the rest.
func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, to string) error {
	q := readQuery(r, "policy", "buffer", "attr")
	policy, err := ParsePolicy(q.text("policy"))
	o := Subscription{Policy: policy, Buffer: q.number("buffer", 1, MaxBuffer), Attributes: q.attributes()}
	if q.err != nil {
		return q.err
	}
	if err != nil {
		return err
	}
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	out, err := s.openStream(w, r)
	if err != nil {
		return err
	}
	defer out.close()
	messages, err := s.cfg.Node.Subscribe(out.ctx, to, o)
	if err != nil {
		return err
	}
	if out.begin() != nil {
		return nil // the reader is gone
	}
	for m, err := range messages {
		if out.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			err = out.write("error", "", errorLine{head, NewProblem(err)})
		} else {
			err = out.write("message", m.ID.String(), makeMessage(m))
		}
		if err != nil {
			return nil // the reader is gone
		}
	}
	return nil
}
