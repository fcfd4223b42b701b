package servicerouting

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"go.uber.org/goleak"

	"github.com/meshnode/meshnode/internal/pipe"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fabric is a mesh of forwarders in one process, over in-memory streams.
type fabric struct {
	t     testing.TB
	nodes []*Forwarder
	wg    sync.WaitGroup
	mu    sync.Mutex
	wires map[[2]int][2]*pipe.Pipe
	tune  func(*Config)
}

func newFabric(t testing.TB, n int, tune func(*Config)) *fabric {
	f := &fabric{t: t, wires: make(map[[2]int][2]*pipe.Pipe), tune: tune}
	for range n {
		f.add()
	}
	t.Cleanup(f.close)
	return f
}

func (f *fabric) add() *Forwarder {
	f.t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Key, cfg.Network = key, mesh.NetworkOf("test", nil)
	if f.tune != nil {
		f.tune(&cfg)
	}
	n, err := New(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.nodes = append(f.nodes, n)
	return n
}

func (f *fabric) close() {
	for _, n := range f.nodes {
		_ = n.Close()
	}
	f.wg.Wait()
}

// link joins two nodes.
func (f *fabric) link(a, b int) {
	ab, ba := pipe.New(256<<10), pipe.New(256<<10)
	f.mu.Lock()
	f.wires[[2]int{a, b}], f.wires[[2]int{b, a}] = [2]*pipe.Pipe{ab, ba}, [2]*pipe.Pipe{ba, ab}
	f.mu.Unlock()
	window := DefaultConfig().Link.Window
	f.wg.Go(func() { _ = f.nodes[a].AddLink(f.nodes[b].ID(), ab, ba, window) })
	f.wg.Go(func() { _ = f.nodes[b].AddLink(f.nodes[a].ID(), ba, ab, window) })
	f.until(func() bool { return linked(f.nodes[a], f.nodes[b]) && linked(f.nodes[b], f.nodes[a]) }, a, b)
}

func linked(a, b *Forwarder) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.peers[b.ID()] != nil
}

// until waits for a condition that a change at one of the nodes brings about.
func (f *fabric) until(ok func() bool, nodes ...int) {
	f.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		changed := make([]<-chan struct{}, len(nodes))
		for i, n := range nodes {
			changed[i] = f.nodes[n].Changed()
		}
		if ok() {
			return
		}
		any := make(chan struct{}, 1)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for _, c := range changed {
			wg.Go(func() {
				select {
				case <-c:
					select {
					case any <- struct{}{}:
					default:
					}
				case <-stop:
				}
			})
		}
		select {
		case <-any:
		case <-deadline:
			close(stop)
			wg.Wait()
			f.t.Fatal("condition not met within 20 s")
		}
		close(stop)
		wg.Wait()
	}
}

func (f *fabric) cut(a, b int) {
	f.mu.Lock()
	w := f.wires[[2]int{a, b}]
	f.mu.Unlock()
	_ = w[0].Reset()
	_ = w[1].Reset()
}

func (f *fabric) line() *fabric {
	for i := 1; i < len(f.nodes); i++ {
		f.link(i-1, i)
	}
	return f
}

func (f *fabric) serve(n int, service string, h Handler) func() {
	f.t.Helper()
	stop, err := f.nodes[n].Handle(service, nil, 0, h)
	if err != nil {
		f.t.Fatal(err)
	}
	return stop
}

func echo(_ context.Context, d *Delivery) (Response, error) {
	return Response{Payload: append([]byte("echo "), d.Envelope.Payload...), ContentType: "text/plain"}, nil
}

func to(s string) mesh.Address {
	a, err := mesh.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func ctxFor(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestRequestOverFourHops(t *testing.T) {
	f := newFabric(t, 5, nil).line()
	f.serve(4, "inventory", echo)
	for i := range 2 {
		r, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("inventory"), Request: true, Payload: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Reply.Payload) != "echo x" || r.Hops != 4 || r.Provider != f.nodes[4].ID() {
			t.Errorf("reply %q over %d hops", r.Reply.Payload, r.Hops)
		}
		if p := f.nodes[0].Counters()["probes"]; p != 3 {
			t.Errorf("message %d: %d probes, want the 3 rings of the first", i, p)
		}
	}
	r, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("inventory"), Payload: []byte("x")})
	if err != nil || r.Status != mesh.StatusOK || r.Receipt == nil || r.Receipt.Provider != f.nodes[4].ID() {
		t.Errorf("confirm: %+v, %v", r, err)
	}
}

func TestNoProviderIsAnAnswer(t *testing.T) {
	f := newFabric(t, 4, nil).line()
	start := time.Now()
	_, err := f.nodes[0].Publish(ctxFor(t, 20*time.Second), Outgoing{To: to("nobody")})
	if !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestHandlerOutcomes(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	f.serve(1, "fails", func(context.Context, *Delivery) (Response, error) { return Response{}, errors.New("out of paper") })
	f.serve(1, "panics", func(context.Context, *Delivery) (Response, error) { panic("oh") })
	f.serve(1, "elsewhere", func(context.Context, *Delivery) (Response, error) {
		return Response{}, Retryable(errors.New("not here"))
	})
	for _, request := range []bool{false, true} {
		r, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("fails"), Request: request})
		if !errors.Is(err, mesh.ErrHandler) || r.Detail != "out of paper" {
			t.Errorf("fails: %v, %q", err, r.Detail)
		}
		r, err = f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("panics"), Request: request})
		if !errors.Is(err, mesh.ErrPanic) || r.Detail != "panic: oh" {
			t.Errorf("panics: %v, %q", err, r.Detail)
		}
		_, err = f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("elsewhere"), Request: request, NoWait: true})
		if !errors.Is(err, mesh.ErrBusy) {
			t.Errorf("elsewhere: %v", err)
		}
	}
	if r, err := f.nodes[1].Publish(ctxFor(t, time.Second), Outgoing{To: to("panics")}); !errors.Is(err, mesh.ErrPanic) {
		t.Errorf("at home: %+v %v", r, err)
	}
}

func TestAll(t *testing.T) {
	f := newFabric(t, 5, nil)
	for _, l := range [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 0}, {3, 4}} {
		f.link(l[0], l[1])
	}
	for _, n := range []int{0, 2, 4} {
		f.serve(n, "news", echo)
	}
	for _, request := range []bool{true, false} {
		seen := map[string]int{}
		err := f.nodes[0].PublishAll(ctxFor(t, 5*time.Second), Outgoing{To: to("news"), Request: request, Payload: []byte("!")}, func(r Result) bool {
			seen[r.Provider.String()]++
			if request && (r.Reply == nil) == (r.Response == nil) {
				t.Errorf("no reply in %+v", r)
			}
			return true
		})
		if err != nil || len(seen) != 3 {
			t.Errorf("%d answered: %v, %v", len(seen), seen, err)
		}
	}
	err := f.nodes[0].PublishAll(ctxFor(t, 5*time.Second), Outgoing{To: to("nobody")}, func(Result) bool { return true })
	if !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("nobody: %v", err)
	}
}

func TestLargeAndSmallPayloads(t *testing.T) {
	f := newFabric(t, 3, nil).line()
	f.serve(2, "blob", func(_ context.Context, d *Delivery) (Response, error) {
		return Response{Payload: d.Envelope.Payload}, nil
	})
	for _, n := range []int{0, 1, 1000, 32 << 10, 33 << 10, 300_000, mesh.MaxPayload} {
		b := make([]byte, n)
		rand.Read(b)
		r, err := f.nodes[0].Publish(ctxFor(t, 10*time.Second), Outgoing{To: to("blob"), Request: true, Payload: b})
		if err != nil || string(r.Reply.Payload) != string(b) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	if _, err := f.nodes[0].Publish(ctxFor(t, time.Second), Outgoing{To: to("blob"), Payload: make([]byte, mesh.MaxPayload+1)}); !errors.Is(err, mesh.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

func TestForwardToTheCapable(t *testing.T) {
	f := newFabric(t, 3, nil).line()
	ran := make(chan string, 10)
	_, err := f.nodes[1].Handle("ocr", mesh.Attributes{"gpu": "no"}, 0, func(ctx context.Context, d *Delivery) (Response, error) {
		ran <- "plain"
		r, err := d.Forward(ctx, "gpu=yes")
		if err != nil {
			return Response{}, err
		}
		if _, err := d.Forward(ctx, "gpu=yes"); !errors.Is(err, ErrForwarded) {
			t.Errorf("forwarded twice: %v", err)
		}
		return Response{Payload: r.Reply.Payload}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.nodes[2].Handle("ocr", mesh.Attributes{"gpu": "yes"}, 0, func(ctx context.Context, d *Delivery) (Response, error) {
		ran <- "gpu"
		if _, err := d.Forward(ctx, "gpu=yes"); !errors.Is(err, ErrForwarded) {
			t.Errorf("passed on again: %v", err)
		}
		if d.Envelope.Origin != f.nodes[0].ID() {
			t.Errorf("origin is %v", d.Envelope.Origin)
		}
		return Response{Payload: []byte("read")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("ocr"), Request: true})
	if err != nil || string(r.Reply.Payload) != "read" {
		t.Fatalf("%v %+v", err, r)
	}
	if a, b := <-ran, <-ran; a != "plain" || b != "gpu" {
		t.Errorf("ran %s, %s", a, b)
	}
}

func TestDrain(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	began, finish := make(chan struct{}), make(chan struct{})
	f.serve(1, "slow", func(context.Context, *Delivery) (Response, error) {
		close(began)
		<-finish
		return Response{}, nil
	})
	first := make(chan error, 1)
	go func() {
		_, err := f.nodes[0].Publish(ctxFor(t, 10*time.Second), Outgoing{To: to("slow")})
		first <- err
	}()
	<-began
	drained := make(chan error, 1)
	go func() { drained <- f.nodes[1].Drain(ctxFor(t, 10*time.Second)) }()
	for !f.nodes[1].Draining() {
		<-time.After(time.Millisecond)
	}
	if _, err := f.nodes[1].Publish(ctxFor(t, time.Second), Outgoing{To: to("slow")}); !errors.Is(err, mesh.ErrDraining) {
		t.Errorf("own publisher: %v", err)
	}
	if _, err := f.nodes[0].Publish(ctxFor(t, time.Second), Outgoing{To: to("slow")}); !errors.Is(err, mesh.ErrDraining) && !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("other publisher: %v", err)
	}
	close(finish)
	if err := <-first; err != nil {
		t.Errorf("in flight: %v", err)
	}
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
}
