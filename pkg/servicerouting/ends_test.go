package servicerouting

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Of the handlers of one node, a message reaches one that its selector
// matches; and each can be found, whichever was asked for before.
func TestSelectorAmongOneNodesHandlers(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	for _, kind := range []string{"gpu", "cpu"} {
		if _, err := f.nodes[1].Handle("ocr", mesh.Attributes{"kind": kind}, 0, func(context.Context, *Delivery) (Response, error) {
			return Response{Payload: []byte(kind)}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 12 {
		want := []string{"gpu", "gpu", "cpu"}[i%3]
		for _, from := range f.nodes {
			r, err := from.Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("ocr{kind=" + want + "}"), Request: true})
			if err != nil {
				t.Fatalf("message %d for %s: %v", i, want, err)
			}
			got := ""
			if r.Reply != nil {
				got = string(r.Reply.Payload)
			} else {
				got = string(r.Response.Payload)
			}
			if got != want {
				t.Errorf("message %d for %s ran in %s", i, want, got)
			}
		}
	}
}

// Of the able handlers of one node, a message reaches those that meet most of
// what is preferred.
func TestPreferenceAmongOneNodesHandlers(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	for _, kind := range []string{"cpu", "gpu", "tpu"} {
		if _, err := f.nodes[1].Handle("ocr", mesh.Attributes{"kind": kind}, 0, func(context.Context, *Delivery) (Response, error) {
			return Response{Payload: []byte(kind)}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		r, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("ocr{kind!=gpu;prefer kind=gpu,kind=tpu}"), Request: true})
		if err != nil || string(r.Reply.Payload) != "tpu" {
			t.Fatalf("message %d ran in %s, %v", i, r.Reply.Payload, err)
		}
	}
}

// A node that is served again after a drain is found by the next flood.
func TestUndrainIsSeen(t *testing.T) {
	f := newFabric(t, 3, nil).line()
	f.serve(2, "news", echo)
	all := func() (n int, err error) {
		err = f.nodes[0].PublishAll(ctxFor(t, 5*time.Second), Outgoing{To: to("news")}, func(Result) bool { n++; return true })
		return n, err
	}
	if n, err := all(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := f.nodes[2].Drain(ctxFor(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := all(); !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("while draining: %v", err)
	}
	f.nodes[2].Undrain()
	// The graft goes from node to node; a flood that overtakes it finds nobody.
	deadline := time.Now().Add(5 * time.Second)
	for n, err := all(); n != 1; n, err = all() {
		if time.Now().After(deadline) {
			t.Fatalf("after the drain: %d, %v", n, err)
		}
	}
}

// Drain ends when publications end that nobody waits for.
func TestDrainAfterFire(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	f.serve(1, "log", echo)
	for _, mode := range []mesh.Mode{mesh.ModeOne, mesh.ModeAll} {
		m := Outgoing{To: to("log"), Class: mesh.ClassFire}
		var err error
		if mode == mesh.ModeOne {
			_, err = f.nodes[0].Publish(ctxFor(t, 5*time.Second), m)
		} else {
			err = f.nodes[0].PublishAll(ctxFor(t, 5*time.Second), m, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.nodes[0].Drain(ctxFor(t, 5*time.Second)); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
		f.nodes[0].Undrain()
	}
}

// Publications end when the link goes on which they wait for room.
func TestHeldFramesEndWithTheirLink(t *testing.T) {
	f := newFabric(t, 2, func(c *Config) { c.Link.Window, c.Link.MaxQueue = 2<<20, 1 })
	f.link(0, 1)
	f.serve(1, "sink", echo)
	if _, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("sink")}); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	wire := f.wires[[2]int{0, 1}]
	f.mu.Unlock()
	wire[0].Stall(true) // node 1 reads nothing
	const many = 40
	ended := make(chan error, many)
	for i := range many {
		class := []mesh.Class{mesh.ClassFire, mesh.ClassConfirm}[i%2]
		go func() {
			_, err := f.nodes[0].Publish(ctxFor(t, 4*time.Second), Outgoing{To: to("sink"), Class: class, Payload: make([]byte, 300<<10)})
			ended <- err
		}()
	}
	for f.nodes[0].Queued() < 600<<10 { // no room for another
		<-time.After(time.Millisecond)
	}
	f.cut(0, 1)
	for range many {
		select {
		case <-ended:
		case <-time.After(25 * time.Second):
			t.Fatal("a publication did not end")
		}
	}
	if held := f.nodes[0].budget.held; held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
	if n := f.nodes[0].InFlight(); n != 0 {
		t.Errorf("%d are still in flight", n)
	}
}

// A busy provider is said to be busy, also when the caller's time is over: it
// is known that nothing was done.
func TestBusyToTheEnd(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	f.serve(1, "full", func(context.Context, *Delivery) (Response, error) {
		return Response{}, fmt.Errorf("later: %w", Retryable(errors.New("no room")))
	})
	r, err := f.nodes[0].Publish(ctxFor(t, 1500*time.Millisecond), Outgoing{To: to("full")})
	if !errors.Is(err, mesh.ErrBusy) || r.Status != mesh.StatusBusy {
		t.Errorf("%v, %v", r.Status, err)
	}
}
