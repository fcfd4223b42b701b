package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestPublishCarriesEveryOption(t *testing.T) {
	want := Send{
		ID: mesh.NewID(), Class: mesh.ClassStored, Failover: true, TTL: 3, Key: "k", Sticky: "s=1", NoWait: true,
		ContentType: "text/plain", Headers: map[string]string{"trace": "a b"},
	}
	var got Send
	var gotTo string
	var body []byte
	var left time.Duration
	c, _ := serve(t, Config{Node: &fake{publish: func(ctx context.Context, to string, b []byte, o Send) (meshnode.Receipt, error) {
		got, gotTo, body = o, to, b
		d, _ := ctx.Deadline()
		left = time.Until(d)
		return meshnode.Receipt{ID: o.ID, Provider: somebody, Status: mesh.StatusOK, Hops: 2, RTT: time.Millisecond, Load: 7}, nil
	}}})
	ctx := deadline(t)
	to := "orders{os=bsd,region=eu}@blue"
	rec, err := c.Publish(ctx, to, []byte("hi\x00"), want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) || gotTo != to || string(body) != "hi\x00" {
		t.Errorf("the node got %+v to %q with %q", got, gotTo, body)
	}
	if d, _ := ctx.Deadline(); left <= 0 || left > time.Until(d)+time.Second {
		t.Errorf("the node was given %v", left)
	}
	if rec.APIVersion != "v1" || rec.ID != want.ID.String() || rec.Provider != somebody || rec.Outcome != "ok" || rec.Load != 7 {
		t.Errorf("receipt %+v", rec)
	}
}

func TestServiceNamesOfDotsSurviveThePath(t *testing.T) {
	var got string
	c, _ := serve(t, Config{Node: &fake{publish: func(_ context.Context, to string, _ []byte, _ Send) (meshnode.Receipt, error) {
		got = to
		return meshnode.Receipt{}, nil
	}}})
	for _, to := range []string{".", "..", "a.b", "node:" + somebody.String()} {
		if _, err := c.Publish(deadline(t), to, nil, Send{}); err != nil || got != to {
			t.Errorf("%q arrived as %q: %v", to, got, err)
		}
	}
}

func TestPublishAllKeepsReceiptsBesideAnError(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{publishAll: func(context.Context, string, []byte, Send) ([]meshnode.Receipt, error) {
		return []meshnode.Receipt{{Status: mesh.StatusOK}, {Status: mesh.StatusBusy}}, mesh.ErrTimeout
	}}})
	recs, err := c.PublishAll(deadline(t), "orders", nil, Send{})
	if len(recs) != 2 || recs[1].Outcome != "busy" || !errors.Is(err, mesh.ErrTimeout) {
		t.Errorf("%+v, %v", recs, err)
	}
}

func TestRequestGivesTheReplyRaw(t *testing.T) {
	payload := bytes.Repeat([]byte{0, 0xff, '\n'}, mesh.MaxPayload/3)
	c, _ := serve(t, Config{Node: &fake{request: func(_ context.Context, _ string, b []byte, _ Send) (meshnode.Reply, error) {
		return meshnode.Reply{
			Payload: b, ContentType: "image/png", Headers: map[string]string{"a": "b"}, From: somebody, Hops: 3, RTT: 1500 * time.Microsecond,
		}, nil
	}}})
	r, err := c.Request(deadline(t), "orders", payload, Send{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Bytes(), payload) || r.ContentType != "image/png" || r.Headers["a"] != "b" || r.From != somebody ||
		r.Hops != 3 || r.RTT != 1500*time.Microsecond || r.ID == "" {
		t.Errorf("%+v", r.Head)
	}
}

func TestRequestAllGivesRepliesAndErrors(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{
		replies:  []meshnode.Reply{{Payload: []byte("1"), From: somebody}, {Payload: []byte{0xff}}},
		replyErr: fmt.Errorf("boom: %w", mesh.ErrHandler),
	}})
	s, err := c.RequestAll(deadline(t), "orders", nil, Send{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for r, err := range s.All() {
		if err != nil {
			got = append(got, "error: "+err.Error())
			continue
		}
		got = append(got, string(r.Bytes()))
	}
	if want := []string{"1", "\xff", "error: boom: handler failed"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBadInputIsRefusedBeforeTheNode(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{}}) // every verb would panic
	for _, tc := range []struct {
		method, path, code string
	}{
		{"POST", "/v1/services/orders/messages?ttl=0", "MN-0101"},
		{"POST", "/v1/services/orders/messages?ttl=11", "MN-0101"},
		{"POST", "/v1/services/orders/messages?ttl=2147483648", "MN-0101"},
		{"POST", "/v1/services/orders/messages?clas=fire", "MN-0101"},
		{"POST", "/v1/services/orders/messages?class=always", "MN-0101"},
		{"POST", "/v1/services/orders/messages?timeout=-1s", "MN-0101"},
		{"POST", "/v1/services/orders/messages?timeout=11m", "MN-0101"},
		{"POST", "/v1/services/orders/messages?all=maybe", "MN-0101"},
		{"POST", "/v1/services/orders/messages?id=7", "MN-0400"},
		{"POST", "/v1/services/orders/messages?n=2", "MN-0101"},
		{"POST", "/v1/services/orders/requests?n=0", "MN-0101"},
		{"POST", "/v1/services/orders/requests?n=65", "MN-0101"},
		{"POST", "/v1/services/orders/requests?n=2&all=1", "MN-0101"},
		{"POST", "/v1/services/orders/requests?n=2&quorum=3", "MN-0101"},
		{"POST", "/v1/services/orders/requests?quorum=2", "MN-0101"},
		{"POST", "/v1/services/group:lobby/messages", "MN-0101"},
		{"POST", "/v1/services/Orders/messages", "MN-0400"},
		{"POST", "/v1/services/orders%7Bos/requests", "MN-0400"},
		{"POST", "/v1/groups/a%20b/messages", "MN-0400"},
		{"GET", "/v1/services/orders/messages?policy=lossy", "MN-0101"},
		{"GET", "/v1/services/orders/messages?buffer=1000000", "MN-0101"},
		{"GET", "/v1/services/orders/messages?attr=os", "MN-0400"},
		{"GET", "/v1/services/orders/messages?attr=OS=bsd", "MN-0400"},
		{"GET", "/v1/services/orders/work?concurrency=0", "MN-0101"},
		{"POST", "/v1/work/none", "MN-0105"},
		{"POST", "/v1/work/none?outcome=maybe", "MN-0101"},
		{"GET", "/v1/wait?for=luck", "MN-0101"},
		{"GET", "/v1/resolve?to=", "MN-0400"},
		{"DELETE", "/v1/peers/nobody", "MN-0101"},
		{"PUT", "/v1/log?level=debug", "MN-0406"},
		{"POST", "/v1/down", "MN-0406"},
		{"POST", "/v1/peers", "MN-0101"},
		{"GET", "/v1/down", "MN-0105"},
		{"GET", "/", "MN-0105"},
	} {
		var out any
		path, q, _ := strings.Cut(tc.path, "?")
		err := c.object(deadline(t), withQuery(t, call{method: tc.method, path: path}, q), &out)
		var p *Problem
		if !errors.As(err, &p) || p.Code != tc.code || p.APIVersion != "v1" || p.Hint == "" {
			t.Errorf("%s %s: %v, want %s", tc.method, tc.path, err, tc.code)
		}
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{}})
	big := make([]byte, mesh.MaxPayload+1)
	_, err := c.Publish(deadline(t), "orders", big, Send{})
	if !errors.Is(err, mesh.ErrTooLarge) || Lookup(err).HTTP != http.StatusRequestEntityTooLarge {
		t.Errorf("with its length: %v", err)
	}
	req, err := http.NewRequestWithContext(deadline(t), http.MethodPost, "http://meshnode/v1/services/orders/messages", struct{ *bytes.Reader }{bytes.NewReader(big)})
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := readProblem(res); !errors.Is(err, mesh.ErrTooLarge) {
		t.Errorf("without its length: %v", err)
	}
}

func TestHeadersThatHTTPCannotCarryAreNamed(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{}})
	for k, v := range map[string]string{"a b": "x", "": "x", "a": "x\ny"} {
		if _, err := c.Publish(deadline(t), "orders", nil, Send{Headers: map[string]string{k: v}}); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %q: %v", k, v, err)
		}
	}
}
