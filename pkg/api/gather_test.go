package api

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/meshtest"
	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
)

// star joins n nodes to one in the middle, and serves that one.
func star(t *testing.T, n int) (*Client, []*meshnode.Node) {
	t.Helper()
	middle := meshtest.Line(t, 1)[0]
	var around []*meshnode.Node
	for range n {
		node := meshtest.Line(t, 1)[0]
		meshtest.Join(t, node, middle)
		around = append(around, node)
	}
	c, _ := serve(t, Config{Node: ForNode(middle)})
	return c, around
}

func handle(t *testing.T, n *meshnode.Node, service string, h meshnode.Handler, attrs mesh.Attributes) {
	t.Helper()
	if _, err := n.Handle(service, h, meshnode.WithAttributes(attrs)); err != nil {
		t.Fatal(err)
	}
}

func saying(text string) meshnode.Handler {
	return func(context.Context, *meshnode.Message) (meshnode.Reply, error) { return meshnode.Text(text), nil }
}

// quotes has two nodes that answer and a third that never does.
func quotes(t *testing.T) (*Client, []*meshnode.Node) {
	t.Helper()
	c, nodes := star(t, 3)
	for _, n := range nodes[:2] {
		handle(t, n, "quote", saying("seven"), nil)
	}
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	handle(t, nodes[2], "quote", func(ctx context.Context, _ *meshnode.Message) (meshnode.Reply, error) {
		select {
		case <-end:
		case <-ctx.Done():
		}
		return meshnode.Reply{}, nil
	}, nil)
	return c, nodes
}

func from(g Gathered) []peer.ID {
	var out []peer.ID
	for _, r := range g.Replies {
		out = append(out, r.From)
	}
	slices.Sort(out)
	return out
}

func TestGatherEndsWithTheQuorum(t *testing.T) {
	c, nodes := quotes(t)
	fast := []peer.ID{nodes[0].ID(), nodes[1].ID()}
	slices.Sort(fast)
	g, err := c.Gather(deadline(t), "quote", []byte("?"), meshnode.Want{N: 3, Quorum: 2}, Send{})
	if err != nil || !slices.Equal(from(g), fast) || !slices.Equal(g.Waiting, []peer.ID{nodes[2].ID()}) || g.Missing != 0 || len(g.Failed) != 0 {
		t.Fatalf("%+v, %v", g, err)
	}
	if r := g.Replies[0]; r.Text != "seven" || r.Hops != 1 || r.RTT <= 0 || g.APIVersion != "v1" {
		t.Errorf("%+v", r)
	}
	g, err = c.Gather(deadline(t), "quote", []byte("?"), meshnode.Want{Quorum: 2}, Send{ID: mesh.NewID()})
	if err != nil || !slices.Equal(from(g), fast) || g.Replies[0].ID == "" {
		t.Errorf("of all: %+v, %v", g, err)
	}
}

func TestGatherOfTooFewIsPartial(t *testing.T) {
	c, nodes := quotes(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	g, err := c.Gather(ctx, "quote", []byte("?"), meshnode.Want{N: 4}, Send{})
	if !errors.Is(err, meshnode.ErrPartial) || !errors.Is(err, ErrPartly) || Lookup(err).Code != "MN-0111" {
		t.Errorf("error %v", err)
	}
	if len(g.Replies) != 2 || g.Missing != 1 || len(g.Failed) != 1 {
		t.Fatalf("%+v", g)
	}
	if f := g.Failed[0]; f.Provider != nodes[2].ID() || !errors.Is(f.Problem, mesh.ErrTimeout) || f.Problem.Provider != f.Provider {
		t.Errorf("failed: %+v", f.Problem)
	}
	g, err = c.Gather(deadline(t), "nothing", nil, meshnode.Want{N: 2}, Send{})
	if !errors.Is(err, mesh.ErrNoProvider) || errors.Is(err, ErrPartly) || g.Replies != nil {
		t.Errorf("nobody: %+v, %v", g, err)
	}
}

func TestGatherGivesTheProvidersSentence(t *testing.T) {
	c, nodes := star(t, 1)
	handle(t, nodes[0], "quote", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Reply{}, errors.New("no milk")
	}, nil)
	g, err := c.Gather(deadline(t), "quote", nil, meshnode.Want{N: 1}, Send{})
	if !errors.Is(err, ErrPartly) || len(g.Failed) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	if p := g.Failed[0].Problem; p.Detail != "handler failed: no milk" || p.Code != "MN-0300" || p.Provider != nodes[0].ID() || p.ID == "" {
		t.Errorf("%+v", p)
	}
}

func TestGatherCarriesEverything(t *testing.T) {
	id := mesh.NewID()
	var gotWant meshnode.Want
	var got Send
	c, _ := serve(t, Config{Node: &fake{gather: func(_ context.Context, _ string, _ []byte, w meshnode.Want, o Send) (meshnode.Gathered, error) {
		gotWant, got = w, o
		return meshnode.Gathered{
			Replies: []meshnode.Reply{{Payload: []byte{0xff}, From: somebody}},
			Failed:  []meshnode.Failure{{Provider: somebody, Err: fmt.Errorf("no milk: %w", mesh.ErrHandler)}},
			Waiting: []peer.ID{somebody}, Missing: 4,
		}, fmt.Errorf("1 of 2: %w", meshnode.ErrPartial)
	}}})
	g, err := c.Gather(deadline(t), "quote", nil, meshnode.Want{N: MaxGather, Quorum: MaxGather}, Send{Sticky: "s"})
	if !errors.Is(err, meshnode.ErrPartial) || gotWant != (meshnode.Want{N: MaxGather, Quorum: MaxGather}) || got.Sticky != "s" || !got.ID.IsZero() {
		t.Errorf("%v: the node got %+v, %+v", err, gotWant, got)
	}
	if string(g.Replies[0].Bytes()) != "\xff" || g.Replies[0].ID != "" || !errors.Is(g.Failed[0].Problem, mesh.ErrHandler) ||
		!reflect.DeepEqual(g.Waiting, []peer.ID{somebody}) || g.Missing != 4 || g.Error == nil {
		t.Errorf("%+v", g)
	}
	for _, w := range []meshnode.Want{{N: 1}, {Quorum: 1}} {
		if _, err := c.Gather(deadline(t), "quote", nil, w, Send{ID: id}); !errors.Is(err, ErrPartly) || gotWant != w || got.ID != id {
			t.Errorf("%+v: %v, the node got %+v, %+v", w, err, gotWant, got)
		}
	}
	for _, w := range []meshnode.Want{{}, {N: MaxGather + 1}, {Quorum: MaxGather + 1}, {N: 2, Quorum: 3}, {N: -1}, {N: 1, Quorum: -1}} {
		if _, err := c.Gather(deadline(t), "quote", nil, w, Send{}); !errors.Is(err, ErrUsage) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	if MaxGather != servicerouting.MaxGather {
		t.Errorf("the node takes %d", servicerouting.MaxGather)
	}
}

// Replies of the largest size come through, as many as may be asked for.
func TestGatherOfFullReplies(t *testing.T) {
	full := meshnode.Reply{Payload: make([]byte, mesh.MaxPayload), From: somebody}
	for i := range full.Payload {
		full.Payload[i] = '"'
	}
	c, _ := serve(t, Config{Node: &fake{gather: func(context.Context, string, []byte, meshnode.Want, Send) (g meshnode.Gathered, _ error) {
		for range 9 { // more than other objects may have
			g.Replies = append(g.Replies, full)
		}
		return g, nil
	}}})
	g, err := c.Gather(deadline(t), "quote", nil, meshnode.Want{N: 9}, Send{})
	if err != nil || len(g.Replies) != 9 || g.Replies[8].Text != string(full.Payload) {
		t.Errorf("%d replies, %v", len(g.Replies), err)
	}
}

func TestGatherAtTheSecondDaemon(t *testing.T) {
	var ids []mesh.ID
	second, _ := serve(t, Config{Node: &fake{gather: func(_ context.Context, _ string, _ []byte, _ meshnode.Want, o Send) (meshnode.Gathered, error) {
		ids = append(ids, o.ID)
		return meshnode.Gathered{Replies: []meshnode.Reply{{From: somebody}}}, nil
	}}})
	first, err := Dial("unix://"+filepath.Join(socketDir(t), "none"), "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMulti(first, second)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if g, err := m.Gather(deadline(t), "quote", nil, meshnode.Want{N: n + 1}, Send{}); err != nil || len(g.Replies) != 1 {
			t.Errorf("%+v, %v", g, err)
		}
	}
	if len(ids) != 2 || ids[0].IsZero() || !ids[1].IsZero() {
		t.Errorf("ids %v", ids)
	}
}

func TestExplainTellsWhy(t *testing.T) {
	c, nodes := star(t, 2)
	handle(t, nodes[0], "ocr", saying("a"), mesh.Attributes{"region": "eu"})
	handle(t, nodes[1], "ocr", saying("b"), mesh.Attributes{"region": "us"})
	for _, to := range []string{"ocr{region=eu}", "ocr{region=us}"} {
		if _, err := c.Request(deadline(t), to, nil, Send{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Explain(deadline(t), "ocr{region=eu}")
	if err != nil || len(got.Candidates) != 2 || got.To != "ocr{region=eu}" || got.APIVersion != "v1" {
		t.Fatalf("%+v, %v", got, err)
	}
	if first := got.Candidates[0]; first.Peer != nodes[0].ID() || first.Standing != "first" || first.Hops != 1 || first.Cost.Total <= 0 || first.Attributes["region"] != "eu" {
		t.Errorf("first %+v", first)
	}
	if other := got.Candidates[1]; other.Peer != nodes[1].ID() || other.Standing != "incapable" || other.Why != "region is us, wanted eu" {
		t.Errorf("other %+v", other)
	}
	if _, err := c.Explain(deadline(t), "nothing"); !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("nobody: %v", err)
	}
	for _, to := range []string{"", "Ocr", "group:lobby"} {
		if _, err := c.Explain(deadline(t), to); !errors.Is(err, mesh.ErrMalformed) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestStickyStays(t *testing.T) {
	c, nodes := star(t, 2)
	for _, n := range nodes {
		handle(t, n, "cart", saying("ok"), mesh.Attributes{"at": n.ID().String()})
		if _, err := c.Publish(deadline(t), "cart{at="+n.ID().String()+"}", nil, Send{}); err != nil {
			t.Fatal(err)
		}
	}
	took := make(map[peer.ID]bool)
	for range 32 {
		r, err := c.Publish(deadline(t), "cart", nil, Send{Sticky: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		took[r.Provider] = true
	}
	if len(took) != 1 {
		t.Errorf("one key went to %d providers", len(took))
	}
}
