package meshnode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// serveOCR makes a node a provider that another one knows.
func serveOCR(t *testing.T, n, by *meshnode.Node, attrs mesh.Attributes) {
	t.Helper()
	if _, err := n.Handle("ocr", greet, meshnode.WithAttributes(attrs)); err != nil {
		t.Fatal(err)
	}
	if _, err := by.Publish(soon(t), "ocr{"+attrs.String()+"}", nil); err != nil {
		t.Fatal(err)
	}
}

func TestExplainStandings(t *testing.T) {
	nodes := star(t, meshnode.WithZone("region=eu,rack=7"), meshnode.WithZone("region=eu,rack=7"), meshnode.WithZone("region=eu,rack=8"), plain)
	self, near, beside, far := nodes[0], nodes[1], nodes[2], nodes[3]
	for i, n := range nodes[1:] {
		serveOCR(t, n, self, mesh.Attributes{"version": fmt.Sprintf("%d.0.0", i+1)})
	}
	type line struct {
		node          *meshnode.Node
		standing, why string
	}
	for to, want := range map[string][]line{
		"ocr": {
			{near, "first", "none is cheaper"},
			{beside, "farther", "others share more of this node's zone"}, {far, "farther", "others share more of this node's zone"},
		},
		"ocr{version>=2.0.0}": {
			{beside, "first", "none is cheaper"},
			{far, "farther", "others share more of this node's zone"}, {near, "incapable", "version is 1.0.0, wanted >=2.0.0"},
		},
		"ocr{version>=2.0.0;prefer version=3.0.0}": {
			{far, "first", "none is cheaper"},
			{beside, "farther", "others meet more of what is preferred"}, {near, "incapable", "version is 1.0.0, wanted >=2.0.0"},
		},
	} {
		got, err := self.Explain(soon(t), to)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %+v, %v", to, got, err)
		}
		for _, w := range want {
			c := candidate(t, got, w.node)
			if c.Standing != w.standing || c.Why != w.why || c.Local || c.Via != w.node.ID() || c.Hops != 1 || c.Cost.Total < 1 {
				t.Errorf("%s: %+v, want %s: %s", to, c, w.standing, w.why)
			}
		}
		if got[0].Peer != want[0].node.ID() {
			t.Errorf("%s: the first is not the best: %+v", to, got)
		}
		r, err := self.Request(soon(t), to, nil)
		if err != nil || r.From != got[0].Peer {
			t.Errorf("%s: asked %v, %v", to, r.From, err)
		}
	}
}

func candidate(t *testing.T, list []meshnode.CandidateInfo, n *meshnode.Node) meshnode.CandidateInfo {
	t.Helper()
	for _, c := range list {
		if c.Peer == n.ID() {
			return c
		}
	}
	t.Fatalf("%v is not among %+v", n.ID(), list)
	return meshnode.CandidateInfo{}
}

func TestExplainAtHomeAndNowhere(t *testing.T) {
	n := start(t)
	if _, err := n.Explain(soon(t), "ocr"); !errors.Is(err, meshnode.ErrNoProvider) {
		t.Errorf("nobody: %v", err)
	}
	for _, to := range []string{"Ocr", "group:lobby", "node:" + n.ID().String()} {
		if _, err := n.Explain(soon(t), to); !errors.Is(err, meshnode.ErrMalformed) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if _, err := n.Handle("ocr", greet); err != nil {
		t.Fatal(err)
	}
	got, err := n.Explain(soon(t), "ocr")
	if err != nil || len(got) != 1 || !got[0].Local || got[0].Standing != "first" || got[0].Why != "a handler of this node" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A provider farther away in the mesh is found, and the neighbour on the way.
func TestExplainLooks(t *testing.T) {
	nodes := line(t, 3)
	if _, err := nodes[2].Handle("ocr", greet); err != nil {
		t.Fatal(err)
	}
	got, err := nodes[0].Explain(soon(t), "ocr")
	if err != nil || len(got) != 1 || got[0].Peer != nodes[2].ID() || got[0].Via != nodes[1].ID() || got[0].Hops != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestZoneIsChecked(t *testing.T) {
	for _, zone := range []string{"eu", "region=", "=eu", "region=eu,region=us", "region=eu,", "Region=eu"} {
		if _, err := meshnode.New(t.Context(), meshnode.WithZone(zone)); !errors.Is(err, meshnode.ErrMalformed) {
			t.Errorf("%q: %v", zone, err)
		}
	}
}

func ExampleNode_Explain() {
	ctx, a, b, end := two()
	defer end()
	_, err := b.Handle("ocr", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Reply{}, nil
	}, meshnode.WithAttributes(mesh.Attributes{"version": "1.9.0"}))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := a.Publish(ctx, "ocr", nil); err != nil {
		log.Fatal(err)
	}
	for _, to := range []string{"ocr", "ocr{version^2.1}"} {
		list, err := a.Explain(ctx, to)
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range list {
			fmt.Println(c.Standing, c.Hops, c.Why)
		}
	}
	// Output:
	// first 1 none is cheaper
	// incapable 1 version is 1.9.0, wanted ^2.1
}
