package api

import (
	"bufio"
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestSubscribe(t *testing.T) {
	var to string
	var opts Subscription
	f := &fake{messages: make(chan *meshnode.Message, 2), subscribed: func(s string, o Subscription) { to, opts = s, o }}
	c, _ := serve(t, Config{Node: f})
	s, err := c.Subscribe(deadline(t), "group:lobby", Subscription{
		Policy: meshnode.DropOldest, Buffer: 9, Attributes: mesh.Attributes{"os": "bsd"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if to != "group:lobby" || opts.Policy != meshnode.DropOldest || opts.Buffer != 9 || opts.Attributes["os"] != "bsd" {
		t.Errorf("subscribed %q with %+v", to, opts)
	}
	sent := message("a\x01b")
	sent.Headers = map[string]string{"K": "v"}
	f.messages <- sent
	for m, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		if m.ID != sent.ID.String() || string(m.Bytes()) != "a\x01b" || m.Headers["K"] != "v" || m.From != somebody || m.Class != "confirm" || m.APIVersion != "v1" {
			t.Errorf("%+v", m)
		}
		break
	}
}

func TestServerSentEvents(t *testing.T) {
	f := &fake{messages: make(chan *meshnode.Message, 1)}
	c, _ := serve(t, Config{Node: f})
	req, err := http.NewRequestWithContext(deadline(t), http.MethodGet, "http://meshnode/v1/services/orders/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	m := message("hi")
	f.messages <- m
	lines := bufio.NewScanner(res.Body)
	var got []string
	for lines.Scan() && lines.Text() != "" {
		got = append(got, lines.Text())
	}
	if len(got) != 3 || got[0] != "event: message" || got[1] != "id: "+m.ID.String() || !strings.HasPrefix(got[2], `data: {"apiVersion":"v1",`) {
		t.Errorf("%q", got)
	}
}

func TestAReaderThatLeavesEndsItsSubscription(t *testing.T) {
	ended := make(chan struct{})
	c, _ := serve(t, Config{Node: watch{&fake{messages: make(chan *meshnode.Message)}, ended}})
	s, err := c.Subscribe(deadline(t), "orders", Subscription{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	select {
	case <-ended:
	case <-deadline(t).Done():
		t.Fatal("the subscription goes on")
	}
}

func TestAReaderThatTakesNothingIsCut(t *testing.T) {
	ended := make(chan struct{})
	f := &fake{messages: make(chan *meshnode.Message)}
	c, _ := serve(t, Config{Node: watch{f, ended}, Stall: 50 * time.Millisecond})
	s, err := c.Subscribe(deadline(t), "orders", Subscription{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	big := message(strings.Repeat("x", mesh.MaxPayload))
	for {
		select {
		case f.messages <- big:
		case <-ended:
			return
		case <-deadline(t).Done():
			t.Fatal("it was never cut")
		}
	}
}

// watch tells when the context of the subscription ends.
type watch struct {
	*fake
	ended chan struct{}
}

func (w watch) Subscribe(ctx context.Context, to string, o Subscription) (iter.Seq2[*meshnode.Message, error], error) {
	context.AfterFunc(ctx, func() { close(w.ended) })
	return w.fake.Subscribe(ctx, to, o)
}

func TestStreamsAreCounted(t *testing.T) {
	f := &fake{messages: make(chan *meshnode.Message)}
	s := NewServer(Config{Node: f})
	for range MaxStreams {
		s.streams <- struct{}{}
	}
	if _, err := s.openStream(nil, &http.Request{}); !errors.Is(err, ErrStreams) {
		t.Errorf("%v", err)
	}
	<-s.streams
	if _, err := s.openStream(nil, &http.Request{}); err != nil {
		t.Errorf("with a free slot: %v", err)
	}
}

func TestAStreamThatTheDaemonEndsSaysSo(t *testing.T) {
	f := &fake{messages: make(chan *meshnode.Message)}
	c, stop := serve(t, Config{Node: f})
	s, err := c.Subscribe(deadline(t), "orders", Subscription{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop()
	var got error
	for _, got = range s.All() {
	}
	if !errors.Is(got, ErrNoDaemon) {
		t.Errorf("%v", got)
	}
}
