package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Stream gives items as they come. It must be closed, or its context ended.
type Stream[T any] struct {
	next  func() (item T, err error, more bool) // more: false with the last
	close func()
}

// All gives every item and ends with the stream. An item may be an error of
// its own, and the stream goes on; an ErrNoDaemon or ErrLost is the last.
func (s *Stream[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err, more := s.next()
			if !more && err == nil || !yield(v, err) || !more {
				return
			}
		}
	}
}

// Close ends the stream and waits for what it has running.
func (s *Stream[T]) Close() { s.close() }

// openLines runs a call that answers with lines. Finite streams end well with
// the last line; of the others an end means that the daemon went away.
func openLines[T any](ctx context.Context, c *Client, in call, finite bool, decode func([]byte, *T) error) (*Stream[T], error) {
	ctx, cancel := context.WithCancel(ctx)
	res, err := c.do(ctx, in)
	if err != nil {
		cancel()
		return nil, err
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxLine)
	next := func() (v T, err error, more bool) {
		if !lines.Scan() {
			return v, streamEnd(ctx, c, in.path, finite, lines.Err()), false
		}
		b := bytes.TrimSpace(lines.Bytes())
		var e errorLine
		if err := json.Unmarshal(b, &e); err != nil {
			return v, fmt.Errorf("a line of %s is not JSON: %w", in.path, err), true
		}
		if e.Error != nil {
			return v, e.Error, true
		}
		return v, decode(b, &v), true
	}
	return &Stream[T]{next: next, close: func() {
		cancel()
		_ = res.Body.Close()
	}}, nil
}

// streamEnd tells why a stream has ended; nil: it ended well.
func streamEnd(ctx context.Context, c *Client, path string, finite bool, err error) error {
	switch {
	case ctx.Err() != nil && (!finite || errors.Is(ctx.Err(), context.Canceled)):
		return nil
	case err == nil && finite:
		return nil
	case finite:
		return fmt.Errorf("%s: %w", path, transportError(ctx, err, true))
	case err == nil:
		err = io.ErrUnexpectedEOF
	}
	return Fail(ErrNoDaemon, "the daemon at %s ended the stream: %w", c.addr, err)
}

// Subscribe gives the messages to a service, or to a group ("group:lobby").
// The subscription holds when it returns.
func (c *Client) Subscribe(ctx context.Context, to string, o Subscription) (*Stream[Message], error) {
	addr, err := mesh.ParseAddress(to)
	if err != nil {
		return nil, err
	}
	path := servicePath(to, "messages")
	if addr.Kind == mesh.KindGroup {
		path = "/v1/groups/" + segment(addr.Name) + "/messages"
	}
	q := url.Values{"policy": {policyName(o.Policy)}}
	if o.Buffer != 0 {
		q.Set("buffer", strconv.Itoa(o.Buffer))
	}
	addAttributes(q, o.Attributes)
	in := call{method: http.MethodGet, path: path, query: q}
	return openLines(ctx, c, in, false, func(b []byte, m *Message) error { return json.Unmarshal(b, m) })
}

// Work serves a service for as long as the stream is open. Each item must be
// answered before it expires.
func (c *Client) Work(ctx context.Context, service string, o Serve) (*Stream[Work], error) {
	q := url.Values{}
	if o.Concurrency != 0 {
		q.Set("concurrency", strconv.Itoa(o.Concurrency))
	}
	addAttributes(q, o.Attributes)
	in := call{method: http.MethodGet, path: servicePath(service, "work"), query: q}
	return openLines(ctx, c, in, false, func(b []byte, w *Work) error {
		w.client = c
		return json.Unmarshal(b, w)
	})
}

func addAttributes(q url.Values, a mesh.Attributes) {
	if len(a) > 0 {
		q.Set("attr", a.String())
	}
}
