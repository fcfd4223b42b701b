package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/http/httpguts"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// sendCall builds a sending call.
func sendCall(ctx context.Context, path string, body []byte, o Send) (call, error) {
	q := url.Values{}
	set := func(name, value string, when bool) {
		if when {
			q.Set(name, value)
		}
	}
	set("id", o.ID.String(), !o.ID.IsZero())
	set("class", o.Class.String(), o.Class != 0)
	set("failover", "1", o.Failover)
	set("ttl", strconv.Itoa(o.TTL), o.TTL != 0)
	set("key", o.Key, o.Key != "")
	set("nowait", "1", o.NoWait)
	set("sticky", o.Sticky, o.Sticky != "")
	patience(ctx, q)
	h := http.Header{}
	if o.ContentType != "" {
		h.Set("Content-Type", o.ContentType)
	}
	for k, v := range o.Headers {
		if !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(v) {
			return call{}, Fail(ErrUsage, "header %q: a name is of letters, digits and -, a value has no control characters", k)
		}
		h.Set(headerPrefix+k, v)
	}
	return call{method: http.MethodPost, path: path, query: q, header: h, body: body}, nil
}

func servicePath(to, what string) string { return "/v1/services/" + segment(to) + "/" + what }

// Publish sends to one provider and waits for its receipt.
func (c *Client) Publish(ctx context.Context, to string, body []byte, o Send) (Receipt, error) {
	in, err := sendCall(ctx, servicePath(to, "messages"), body, o)
	if err != nil {
		return Receipt{}, err
	}
	var out Receipt
	return out, c.object(ctx, in, &out)
}

// PublishAll sends to every provider within the TTL. With receipts and an
// error, the receipts are those that came.
func (c *Client) PublishAll(ctx context.Context, to string, body []byte, o Send) ([]Receipt, error) {
	in, err := sendCall(ctx, servicePath(to, "messages"), body, o)
	if err != nil {
		return nil, err
	}
	in.query.Set("all", "1")
	var out Receipts
	if err := c.object(ctx, in, &out); err != nil {
		return nil, err
	}
	if out.Error != nil {
		return out.Receipts, out.Error
	}
	return out.Receipts, nil
}

// Broadcast sends to a group and does not wait for anybody.
func (c *Client) Broadcast(ctx context.Context, group string, body []byte, o Send) (Receipt, error) {
	in, err := sendCall(ctx, "/v1/groups/"+segment(group)+"/messages", body, o)
	if err != nil {
		return Receipt{}, err
	}
	var out Receipt
	return out, c.object(ctx, in, &out)
}

// Request asks one provider and waits for its reply.
func (c *Client) Request(ctx context.Context, to string, body []byte, o Send) (Reply, error) {
	in, err := sendCall(ctx, servicePath(to, "requests"), body, o)
	if err != nil {
		return Reply{}, err
	}
	res, err := c.do(ctx, in)
	if err != nil {
		return Reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, mesh.MaxPayload+1))
	if err != nil {
		return Reply{}, fmt.Errorf("request %s: %w", to, transportError(ctx, err, true))
	}
	return replyOf(res.Header, b)
}

func replyOf(h http.Header, body []byte) (Reply, error) {
	out := Reply{Head: head, ID: h.Get("Mesh-Id"), ContentType: h.Get("Content-Type"), Body: MakeBody(body)}
	var err1, err2, err3 error
	if v := h.Get("Mesh-Provider"); v != "" {
		out.From, err1 = peer.Decode(v)
	}
	out.Hops, err2 = strconv.Atoi(h.Get("Mesh-Hops"))
	out.RTT, err3 = time.ParseDuration(h.Get("Mesh-Rtt"))
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return out, fmt.Errorf("the reply's head is not ours: %w", err)
		}
	}
	for name, values := range h {
		if k, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			if out.Headers == nil {
				out.Headers = make(map[string]string)
			}
			out.Headers[strings.ToLower(k)] = values[0]
		}
	}
	return out, nil
}

// RequestAll asks every provider within the TTL; replies come as items, the
// failures of single providers as errors.
func (c *Client) RequestAll(ctx context.Context, to string, body []byte, o Send) (*Stream[Reply], error) {
	in, err := sendCall(ctx, servicePath(to, "requests"), body, o)
	if err != nil {
		return nil, err
	}
	in.query.Set("all", "1")
	return openLines(ctx, c, in, true, func(b []byte, r *Reply) error { return json.Unmarshal(b, r) })
}

// Answer replies to the work item. ErrNotFound: it was answered or expired.
func (w *Work) Answer(ctx context.Context, r Reply) error {
	in, err := sendCall(ctx, "/v1/work/"+segment(w.Work), r.Bytes(), Send{ContentType: r.ContentType, Headers: r.Headers})
	if err != nil {
		return err
	}
	in.query = nil
	var done Done
	return w.client.object(ctx, in, &done)
}

// Fail says that the item failed. With retry, nothing was done and the sender
// may ask another provider.
func (w *Work) Fail(ctx context.Context, detail string, retry bool) error {
	q := url.Values{"outcome": {"failed"}, "detail": {string(bytes.ToValidUTF8([]byte(clip(detail)), nil))}}
	if retry {
		q.Set("outcome", "busy")
	}
	var done Done
	return w.client.object(ctx, call{method: http.MethodPost, path: "/v1/work/" + segment(w.Work), query: q}, &done)
}

func clip(s string) string { return s[:min(len(s), mesh.MaxDetail)] }
