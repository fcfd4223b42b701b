package hosts

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/internal/memnet"
)

// TestGroup: what some broadcast, all get, once each.
func TestGroup(t *testing.T) {
	const broadcasters = 5
	nodes := count(t, 200)
	cost := bubble(t, func(t *testing.T) {
		w := memory{memnet.New(memnet.Config{Latency: func(_, _ uint64) time.Duration { return 10 * time.Millisecond }})}
		m := grow(t, w, regular(nodes, 8, random(1, forGraph)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		want := make(map[string]int)
		got := make([]map[string]int, nodes)
		var members sync.WaitGroup
		for i := range nodes {
			messages, err := m.Node(i).Subscribe(ctx, "group:all")
			if err != nil {
				t.Fatal(err)
			}
			got[i] = make(map[string]int)
			members.Go(func() {
				for msg, err := range messages {
					if err != nil {
						t.Error(err)
						return
					}
					got[i][string(msg.Payload)]++
				}
			})
		}
		for i := range nodes { // all know of one another
			links := len(m.graph.links[i])
			if err := m.Node(i).Wait(ctx, meshnode.MembersAtLeast("all", links)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for i := range broadcasters {
			text := fmt.Sprintf("from node %d", i)
			want[text] = 1
			if err := m.Node(i*nodes/broadcasters).Broadcast(ctx, "all", []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("sent within %v", time.Since(began))
		<-ctx.Done() // what comes twice has come by then
		members.Wait()
		for i := range nodes {
			if !maps.Equal(got[i], want) {
				t.Errorf("node %d got %v, want %v", i, got[i], want)
			}
		}
	})
	t.Logf("%d nodes: wall %.1f s, CPU %.1f s", nodes, cost.Wall.Seconds(), cost.CPU.Seconds())
}

// grow runs nodes until the test ends.
func grow(t *testing.T, w world, g *graph) *Mesh {
	t.Helper()
	m, err := newMesh(w, g, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if n := w.open(); n != 0 {
			t.Errorf("%d connections are left open", n)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	if err := m.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return m
}
