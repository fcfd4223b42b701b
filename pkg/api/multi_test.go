package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// daemons runs one server for each publish function; nil is a dead one.
func daemons(t *testing.T, publish ...func(o Send) error) *Multi {
	t.Helper()
	var clients []*Client
	for _, p := range publish {
		if p == nil {
			c, err := Dial(filepath.Join(socketDir(t), "none"), "")
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
			continue
		}
		c, _ := serve(t, Config{Node: &fake{publish: func(_ context.Context, _ string, _ []byte, o Send) (meshnode.Receipt, error) {
			return meshnode.Receipt{ID: o.ID, Status: mesh.StatusOK}, p(o)
		}}})
		clients = append(clients, c)
	}
	m, err := NewMulti(clients...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMultiGoesOnOnlyWhenNothingWasDone(t *testing.T) {
	says := func(err error) func(Send) error { return func(Send) error { return err } }
	for _, tc := range []struct {
		name    string
		first   func(Send) error
		want    error
		reached bool // the second daemon
	}{
		{"dead", nil, nil, true},
		{"draining", says(mesh.ErrDraining), nil, true},
		{"fine", says(nil), nil, false},
		{"no provider", says(mesh.ErrNoProvider), mesh.ErrNoProvider, false},
		{"busy", says(mesh.ErrBusy), mesh.ErrBusy, false},
		{"unknown", says(mesh.ErrTimeout), mesh.ErrTimeout, false},
		{"handler", says(mesh.ErrHandler), mesh.ErrHandler, false},
	} {
		var reached atomic.Bool
		m := daemons(t, tc.first, func(Send) error { reached.Store(true); return nil })
		_, err := m.Publish(deadline(t), "orders", nil, Send{Failover: true})
		if !errors.Is(err, tc.want) || reached.Load() != tc.reached {
			t.Errorf("%s: %v, second reached: %v", tc.name, err, reached.Load())
		}
	}
	if _, err := daemons(t, nil, nil).Publish(deadline(t), "orders", nil, Send{}); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("all dead: %v", err)
	}
	if _, err := daemons(t, says(mesh.ErrDraining), nil).Publish(deadline(t), "orders", nil, Send{}); !errors.Is(err, mesh.ErrDraining) {
		t.Errorf("one drains, one is dead: %v", err)
	}
}

// hangUp is a daemon that reads a request and dies.
func hangUp(t *testing.T) *Client {
	t.Helper()
	l, err := Listen(filepath.Join(socketDir(t), "s"), "")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.Close()
	})}
	wg.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() { _ = srv.Close(); wg.Wait() })
	c, err := Dial(l.Address(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestADaemonLostAfterSendingIsUnknown(t *testing.T) {
	var got Send
	second := daemons(t, func(o Send) error { got = o; return nil }).clients[0]
	m, err := NewMulti(hangUp(t), second)
	if err != nil {
		t.Fatal(err)
	}
	id := mesh.NewID()
	_, err = m.Publish(deadline(t), "orders", []byte("pay"), Send{ID: id})
	if !errors.Is(err, ErrLost) || !errors.Is(err, mesh.ErrUnknown) || Lookup(err).Exit != ExitUnknown || !got.ID.IsZero() {
		t.Fatalf("without failover: %v, sent again as %v", err, got.ID)
	}
	if _, err = m.Publish(deadline(t), "orders", []byte("pay"), Send{ID: id, Failover: true}); err != nil {
		t.Fatal(err)
	}
	if got.ID != id || got.Key != id.String() {
		t.Errorf("sent again as %v with key %q", got.ID, got.Key)
	}
}

func TestMultiSubscribeGivesEachMessageOnce(t *testing.T) {
	a := &fake{messages: make(chan *meshnode.Message)}
	b := &fake{messages: make(chan *meshnode.Message)}
	ca, stopA := serve(t, Config{Node: a})
	cb, stopB := serve(t, Config{Node: b})
	m, err := NewMulti(ca, cb)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Subscribe(deadline(t), "orders", Subscription{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	one, two, three := message("1"), message("2"), message("3")
	go func() {
		a.messages <- one
		b.messages <- one
		b.messages <- two
		a.messages <- two
		stopA()
		b.messages <- three
	}()
	got := map[string]int{}
	for range 3 {
		m, err, _ := s.next()
		if err != nil {
			t.Fatal(err)
		}
		got[m.Text]++
	}
	if len(got) != 3 {
		t.Errorf("%v", got)
	}
	stopB()
	if _, err, more := s.next(); !errors.Is(err, ErrNoDaemon) || more {
		t.Errorf("all gone: %v", err)
	}
}

func TestMergeOpensALostSourceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(ctx context.Context) (*Stream[int], error) {
			return &Stream[int]{next: func() (int, error, bool) { <-ctx.Done(); return 0, nil, false }, close: func() {}}, nil
		}
		var opened []time.Duration
		start := time.Now()
		flaky := func(ctx context.Context) (*Stream[int], error) {
			opened = append(opened, time.Since(start))
			if n := len(opened); n > 1 && n < 9 {
				return nil, ErrNoDaemon
			}
			n, sent := len(opened), false
			return &Stream[int]{close: func() {}, next: func() (int, error, bool) {
				if n == 1 {
					return 0, ErrNoDaemon, false
				}
				if sent {
					<-ctx.Done()
					return 0, nil, false
				}
				sent = true
				return n, nil, true
			}}, nil
		}
		s, err := merge(t.Context(), []open[int]{flaky, quiet}, func(int) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if v, err, _ := s.next(); v != 9 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		// 250 ms, doubled each time, 5 s at most.
		for i, want := range []time.Duration{0, 250, 750, 1750, 3750, 7750, 12750, 17750, 22750} {
			if opened[i] != want*time.Millisecond {
				t.Errorf("opened for the %d. time after %v, want %v ms", i+1, opened[i], int64(want))
			}
		}
		s.Close()
	})
}

func TestMergeRefusesWhatEveryDaemonWouldRefuse(t *testing.T) {
	f := &fake{messages: make(chan *meshnode.Message)}
	c, _ := serve(t, Config{Node: f})
	m, err := NewMulti(c, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Subscribe(deadline(t), "Orders", Subscription{}); !errors.Is(err, mesh.ErrMalformed) {
		t.Errorf("%v", err)
	}
	if _, err := daemons(t, nil, nil).Subscribe(deadline(t), "orders", Subscription{}); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("all dead: %v", err)
	}
}

func TestSeen(t *testing.T) {
	var s seen
	now := time.Now()
	if !s.first(now, "a") || s.first(now.Add(13*time.Minute), "a") || !s.first(now, "") || !s.first(now, "") {
		t.Error("a repeat is not told from a new one")
	}
	if !s.first(now.Add(15*time.Minute), "a") {
		t.Error("it is remembered for too long")
	}
	for i := range seenMax {
		s.first(now, strconv.Itoa(i))
	}
	if len(s.at) != seenMax || len(s.order) != seenMax {
		t.Errorf("%d and %d entries", len(s.at), len(s.order))
	}
	if !s.first(now, "a") || s.first(now, strconv.Itoa(seenMax-1)) {
		t.Error("the oldest must go first")
	}
}

var _ net.Listener = (*Listener)(nil)
