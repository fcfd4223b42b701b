package meshnode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
)

// star starts a node in the middle and one around it for each list of options.
func star(t *testing.T, middle meshnode.Option, around ...meshnode.Option) []*meshnode.Node {
	t.Helper()
	nodes := []*meshnode.Node{start(t, middle)}
	for _, o := range around {
		n := start(t, o)
		if _, err := n.Connect(soon(t), nodes[0].Addrs()[0]); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
	}
	if err := nodes[0].Wait(soon(t), meshnode.PeersAtLeast(len(around))); err != nil {
		t.Fatal(err)
	}
	return nodes
}

func plain(*meshnode.Config) error { return nil }

func noMilk(context.Context, *meshnode.Message) (meshnode.Reply, error) {
	return meshnode.Reply{}, errors.New("no milk")
}

func TestGatherAsksEach(t *testing.T) {
	nodes := star(t, plain, plain, plain)
	var want []peer.ID
	for _, n := range nodes {
		if _, err := n.Handle("greet", greet); err != nil {
			t.Fatal(err)
		}
		want = append(want, n.ID())
	}
	slices.Sort(want)
	for _, w := range []meshnode.Want{{N: 3}, {}, {Quorum: 3}} {
		g, err := nodes[0].Gather(soon(t), "greet", []byte("you"), w)
		var from []peer.ID
		for _, r := range g.Replies {
			from = append(from, r.From)
			if string(r.Payload) != "hello you" {
				t.Errorf("%+v: a reply of %q", w, r.Payload)
			}
		}
		slices.Sort(from)
		if err != nil || !slices.Equal(from, want) {
			t.Errorf("%+v: %+v, %v", w, g, err)
		}
	}
}

func TestGatherNamesWhoFails(t *testing.T) {
	nodes := star(t, plain, plain, plain)
	if err := errors.Join(second(nodes[1].Handle("greet", greet)), second(nodes[2].Handle("greet", noMilk))); err != nil {
		t.Fatal(err)
	}
	g, err := nodes[0].Gather(soon(t), "greet", nil, meshnode.Want{N: 3})
	if !errors.Is(err, meshnode.ErrPartial) || len(g.Replies) != 1 || g.Missing != 1 || len(g.Failed) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	var se *meshnode.SendError
	f := g.Failed[0]
	if f.Provider != nodes[2].ID() || !errors.Is(f.Err, meshnode.ErrHandler) || !errors.As(f.Err, &se) || se.Detail != "no milk" || se.ID.IsZero() {
		t.Errorf("failed: %+v", f)
	}
	if !errors.As(err, &se) || se.Op != "gather" || se.To != "greet" {
		t.Errorf("%+v", err)
	}
	if g, err := nodes[0].Gather(soon(t), "greet", nil, meshnode.Want{N: 2, Quorum: 1}); err != nil || len(g.Replies) != 1 {
		t.Errorf("a quorum of one: %+v, %v", g, err)
	}
}

func TestGatherRefusesNonsense(t *testing.T) {
	n := start(t)
	for _, tt := range []struct {
		to   string
		want meshnode.Want
	}{
		{"greet", meshnode.Want{N: 65}}, {"greet", meshnode.Want{N: -1}}, {"greet", meshnode.Want{N: 2, Quorum: 3}},
		{"Greet", meshnode.Want{N: 2}}, {"group:lobby", meshnode.Want{N: 2}}, {"node:" + n.ID().String(), meshnode.Want{N: 2}},
	} {
		if _, err := n.Gather(soon(t), tt.to, nil, tt.want); !errors.Is(err, meshnode.ErrMalformed) {
			t.Errorf("%s, %+v: %v", tt.to, tt.want, err)
		}
	}
	if _, err := n.Gather(soon(t), "greet", nil, meshnode.Want{N: 2}); !errors.Is(err, meshnode.ErrNoProvider) {
		t.Errorf("nobody: %v", err)
	}
	_ = n.Close()
	if _, err := n.Gather(soon(t), "greet", nil, meshnode.Want{N: 2}); !errors.Is(err, meshnode.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Of three providers, two that agree are enough.
func ExampleNode_Gather() {
	ctx, a, b, end := two()
	defer end()
	for _, n := range []*meshnode.Node{a, b} {
		_, err := n.Handle("price", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
			return meshnode.Text("9 EUR"), nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	g, err := a.Gather(ctx, "price", []byte("lamp"), meshnode.Want{N: 3, Quorum: 2})
	for _, r := range g.Replies {
		fmt.Println(string(r.Payload))
	}
	fmt.Println(err)

	g, err = a.Gather(ctx, "price", []byte("lamp"), meshnode.Want{N: 3})
	fmt.Println(len(g.Replies), "came,", g.Missing, "missing:", errors.Is(err, meshnode.ErrPartial))
	// Output:
	// 9 EUR
	// 9 EUR
	// <nil>
	// 2 came, 1 missing: true
}

func askers(g meshnode.Gathered) []peer.ID {
	var out []peer.ID
	for _, r := range g.Replies {
		out = append(out, r.From)
	}
	slices.Sort(out)
	return out
}

// Providers are found wherever they are: here, next door, and beyond.
func TestGatherAcrossALine(t *testing.T) {
	nodes := line(t, 3)
	var want []peer.ID
	for _, n := range nodes {
		if _, err := n.Handle("greet", greet); err != nil {
			t.Fatal(err)
		}
		want = append(want, n.ID())
	}
	slices.Sort(want)
	g, err := nodes[0].Gather(soon(t), "greet", []byte("you"), meshnode.Want{N: 3})
	if err != nil || !slices.Equal(askers(g), want) || string(g.Replies[2].Payload) != "hello you" {
		t.Errorf("%+v, %v", g, err)
	}
}
