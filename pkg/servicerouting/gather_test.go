package servicerouting

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// star links node 0 with n others, all of which serve "quote" with h.
func star(t *testing.T, n int, h func(i int) Handler) *fabric {
	f := newFabric(t, n+1, nil)
	for i := 1; i <= n; i++ {
		f.link(0, i)
		f.serve(i, "quote", h(i))
	}
	return f
}

func everybodyEchoes(int) Handler { return echo }

func providers(list []Result) []peer.ID {
	var out []peer.ID
	for _, r := range list {
		out = append(out, r.Provider)
	}
	slices.Sort(out)
	return out
}

func ask(name string) Outgoing { return Outgoing{To: to(name), Request: true, Payload: []byte("?")} }

func TestGatherAsksDifferentProviders(t *testing.T) {
	f := star(t, 5, everybodyEchoes)
	for n := 1; n <= 5; n++ {
		g, err := f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), n, 0)
		if err != nil || len(g.Good) != n || len(g.Bad) != 0 || g.Missing != 0 {
			t.Fatalf("of %d: %+v, %v", n, g, err)
		}
		if got := providers(g.Good); len(slices.Compact(got)) != n {
			t.Errorf("of %d: asked %v", n, got)
		}
	}
}

// The node's own handler is one of the providers, once.
func TestGatherAtHome(t *testing.T) {
	f := star(t, 2, everybodyEchoes)
	f.serve(0, "quote", echo)
	g, err := f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), 3, 0)
	if err != nil || len(g.Good) != 3 {
		t.Fatalf("%+v, %v", g, err)
	}
	want := []peer.ID{f.nodes[0].ID(), f.nodes[1].ID(), f.nodes[2].ID()}
	slices.Sort(want)
	if got := providers(g.Good); !slices.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

func TestGatherFewerThanWanted(t *testing.T) {
	f := star(t, 2, everybodyEchoes)
	g, err := f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), 4, 0)
	if !errors.Is(err, ErrPartial) || len(g.Good) != 2 || g.Missing != 2 {
		t.Errorf("two of four: %+v, %v", g, err)
	}
	g, err = f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), 4, 2)
	if err != nil || len(g.Good) != 2 {
		t.Errorf("a quorum of two: %+v, %v", g, err)
	}
	g, err = f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("nothing"), 3, 2)
	if !errors.Is(err, mesh.ErrNoProvider) || g.Missing != 3 {
		t.Errorf("nobody: %+v, %v", g, err)
	}
}

// With the quorum there, a provider that is slow is not waited for, and named.
func TestGatherQuorumLeavesTheSlow(t *testing.T) {
	stop := make(chan struct{})
	f := star(t, 3, func(i int) Handler {
		if i < 3 {
			return echo
		}
		return func(ctx context.Context, _ *Delivery) (Response, error) {
			select {
			case <-stop:
			case <-ctx.Done():
			}
			return Response{}, nil
		}
	})
	defer close(stop)
	g, err := f.nodes[0].Gather(ctxFor(t, 20*time.Second), ask("quote"), 3, 2)
	if err != nil || len(g.Good) != 2 {
		t.Fatalf("%+v, %v", g, err)
	}
	if want := []peer.ID{f.nodes[3].ID()}; !slices.Equal(g.Waiting, want) {
		t.Errorf("waiting for %v, want %v", g.Waiting, want)
	}
	g, err = f.nodes[0].Gather(ctxFor(t, 500*time.Millisecond), ask("quote"), 3, 3)
	if !errors.Is(err, ErrPartial) || len(g.Good) != 2 || len(g.Bad) != 1 || g.Bad[0].Provider != f.nodes[3].ID() || g.Bad[0].Status != mesh.StatusTimeout {
		t.Errorf("one says nothing: %+v, %v", g, err)
	}
}

// Who refuses before it did anything is replaced; who fails is named.
func TestGatherReplacesWhoRefuses(t *testing.T) {
	broken := errors.New("no milk")
	f := star(t, 4, func(i int) Handler {
		if i == 1 {
			return func(context.Context, *Delivery) (Response, error) { return Response{}, broken }
		}
		return echo
	})
	if err := f.nodes[2].Drain(ctxFor(t, time.Second)); err != nil {
		t.Fatal(err)
	}
	g, err := f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), 3, 3)
	if !errors.Is(err, ErrPartial) || len(g.Good) != 2 || len(g.Bad) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	if b := g.Bad[0]; b.Provider != f.nodes[1].ID() || b.Status != mesh.StatusHandlerFailed || b.Detail != "no milk" {
		t.Errorf("the bad one is %+v", b)
	}
	all, err := f.nodes[0].Gather(ctxFor(t, 10*time.Second), ask("quote"), 0, 2)
	if err != nil || len(all.Good) != 2 {
		t.Errorf("of all, two: %+v, %v", all, err)
	}
}

func TestGatherRefusesNonsense(t *testing.T) {
	f := star(t, 1, everybodyEchoes)
	fire := ask("quote")
	fire.Class = mesh.ClassFire
	same := ask("quote")
	same.ID = mesh.NewID()
	for _, c := range []struct {
		m         Outgoing
		n, quorum int
	}{{ask("quote"), -1, 0}, {ask("quote"), MaxGather + 1, 0}, {ask("quote"), 2, 3}, {ask("quote"), 2, -1}, {fire, 2, 1}, {same, 2, 1}} {
		if _, err := f.nodes[0].Gather(ctxFor(t, time.Second), c.m, c.n, c.quorum); !errors.Is(err, mesh.ErrMalformed) {
			t.Errorf("n %d quorum %d: %v", c.n, c.quorum, err)
		}
	}
}
