// Package meshtest gives tests nodes that are up and joined, on loopback,
// without mDNS, and closed when the test ends.
//
// The nodes are real; there is nothing faked about how messages travel.
package meshtest

import (
	"context"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
)

// Within is how long nodes may take to come up and join.
const Within = 30 * time.Second

// Pair gives two nodes that are neighbours.
func Pair(t testing.TB, opts ...meshnode.Option) (a, b *meshnode.Node) {
	t.Helper()
	n := Line(t, 2, opts...)
	return n[0], n[1]
}

// Line gives count nodes, each the neighbour of the one before: the last is
// count-1 hops away from the first.
func Line(t testing.TB, count int, opts ...meshnode.Option) []*meshnode.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Within)
	defer cancel()
	var nodes []*meshnode.Node
	for range count {
		all := append([]meshnode.Option{meshnode.WithMDNS(false), meshnode.WithListen("/ip4/127.0.0.1/tcp/0")}, opts...)
		n, err := meshnode.New(ctx, all...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.Close() })
		nodes = append(nodes, n)
	}
	for i := 1; i < count; i++ {
		Join(t, nodes[i-1], nodes[i])
	}
	return nodes
}

// Join makes two nodes neighbours, as seen from both.
func Join(t testing.TB, a, b *meshnode.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Within)
	defer cancel()
	had := len(b.Peers())
	if _, err := a.Connect(ctx, b.Addrs()[0]); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(ctx, meshnode.PeersAtLeast(had+1)); err != nil {
		t.Fatal(err)
	}
}
