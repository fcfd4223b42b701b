package groups

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// A neighbour that takes nothing costs the publishers patience once, not for
// every message.
func TestStuckNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr tracer
		tr.init(nil)
		rpc := &pubsub.RPC{RPC: pb.RPC{Publish: []*pb.Message{{}}}}
		for range MaxOutstanding {
			tr.SendRPC(rpc, "stuck")
		}
		begin := time.Now()
		for range 10 {
			if err := tr.room(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("10 messages waited %v for a neighbour that takes nothing, want 1s", took)
		}
		for range MaxOutstanding/2 + 1 {
			tr.SendRPCCompleted(rpc, "stuck", 0)
		}
		for range MaxOutstanding {
			tr.SendRPC(rpc, "stuck")
		}
		done := make(chan error)
		go func() { done <- tr.room(t.Context()) }()
		synctest.Wait()
		for tr.waiting["stuck"].n >= MaxOutstanding {
			tr.SendRPCCompleted(rpc, "stuck", 0)
		}
		if err := <-done; err != nil || time.Since(begin) != time.Second {
			t.Errorf("a neighbour that caught up: %v after %v", err, time.Since(begin))
		}
	})
}

func TestSubscriptionWithoutBuffer(t *testing.T) {
	for _, policy := range []Policy{Block, DropOldest, DropNewest} {
		for _, buffer := range []int{0, -1} {
			a := start(t)
			s, err := a.g.Subscribe("lobby", policy, buffer)
			if err != nil {
				continue // refusing is as good
			}
			done := make(chan struct{})
			go func() {
				s.put(t.Context(), Message{})
				s.put(t.Context(), Message{})
				close(done)
			}()
			if policy == Block {
				s.Close()
			}
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				t.Fatalf("policy %d with a buffer of %d never comes back", policy, buffer)
			}
		}
	}
}

// Sending to many groups, one after another, leaves room for the next.
func TestManyGroupsOneAfterAnother(t *testing.T) {
	a := start(t)
	for i := range 2 * MaxGroups {
		topic, err := a.g.topic(fmt.Sprint("room-", i))
		if err != nil {
			t.Fatalf("group %d: %v", i, err)
		}
		a.g.release(topic)
	}
	if n := len(a.g.List()); n != MaxGroups {
		t.Errorf("%d groups are listed, want %d", n, MaxGroups)
	}
}

// What neighbours are in takes no room from what this node's users join.
func TestNeighboursDoNotUseUpGroups(t *testing.T) {
	a := start(t)
	yes := true
	for i := range 2 * MaxRelayed {
		topic := fmt.Sprint(a.g.prefix, "junk-", i)
		if _, err := a.g.filter.FilterIncomingSubscriptions(peer.ID(fmt.Sprint(i)), []*pb.RPC_SubOpts{{Topicid: &topic, Subscribe: &yes}}); err != nil {
			t.Fatal(err)
		}
	}
	for name := range a.g.filter.take() { // the relay may have taken some
		_ = a.g.relayFor(name)
	}
	for i := range MaxGroups {
		if _, err := a.g.Subscribe(fmt.Sprint("own-", i), DropNewest, 1); err != nil {
			t.Fatalf("the user's group %d: %v", i, err)
		}
	}
	if _, err := a.g.Subscribe("one-more", DropNewest, 1); !errors.Is(err, mesh.ErrTooLarge) {
		t.Errorf("over MaxGroups: %v", err)
	}
	a.g.mu.Lock()
	n := len(a.g.topics)
	a.g.mu.Unlock()
	if n > MaxGroups+MaxRelayed {
		t.Errorf("%d topics", n)
	}
}

// A stranger cannot make us keep any number of topics, nor names that are none.
func TestTopicsOfANeighbourAreBounded(t *testing.T) {
	a := start(t)
	f := newFilter(a.g)
	say := func(subscribe bool, i, j int) int {
		topic := fmt.Sprintf("%sjunk-%d-%d", a.g.prefix, i, j)
		kept, err := f.FilterIncomingSubscriptions("stranger", []*pb.RPC_SubOpts{{Topicid: &topic, Subscribe: &subscribe}})
		if err != nil {
			t.Fatal(err)
		}
		return len(kept)
	}
	total := 0
	for i := range 10 {
		for j := range MaxGroups {
			total += say(true, i, j)
		}
	}
	if total != MaxOfNeighbour {
		t.Errorf("%d topics of one neighbour are kept, want %d", total, MaxOfNeighbour)
	}
	if say(false, 0, 0) != 1 || say(true, 99, 99) != 1 {
		t.Error("a topic that was left does not make room for another")
	}
	if len(f.take()) > MaxRelayed {
		t.Error("more topics than MaxRelayed are to be relayed")
	}
	for i := range 3 * manyPeers {
		topic := a.g.prefix + "lobby"
		yes := true
		_, _ = f.FilterIncomingSubscriptions(peer.ID(fmt.Sprint(i)), []*pb.RPC_SubOpts{{Topicid: &topic, Subscribe: &yes}})
	}
	if len(f.topics) > manyPeers {
		t.Errorf("%d neighbours are remembered, of which none is connected", len(f.topics))
	}
	for _, bad := range []string{"UPPER", "", strings.Repeat("x", mesh.MaxName+1)} {
		if f.CanSubscribe(a.g.prefix + bad) {
			t.Errorf("%.20q… is taken for a group", bad)
		}
	}
}

// What is dropped on the way out is shown with its group.
func TestDroppedOutIsShown(t *testing.T) {
	a := start(t)
	if _, err := a.g.Subscribe("lobby", Block, 1); err != nil {
		t.Fatal(err)
	}
	full := a.g.prefix + "lobby"
	a.g.trace.DropRPC(&pubsub.RPC{RPC: pb.RPC{Publish: []*pb.Message{{Topic: &full}}}}, "p")
	if l := a.g.List(); len(l) != 1 || l[0].Dropped != 1 {
		t.Errorf("list: %+v", l)
	}
}

// A write that ends after its stream has been given up leaves nothing behind.
func TestLateCompletion(t *testing.T) {
	var tr tracer
	tr.init(nil)
	rpc := &pubsub.RPC{RPC: pb.RPC{Publish: []*pb.Message{{}}}}
	tr.SendRPC(rpc, "p")
	tr.OnClosedOutboundStream("p")
	tr.SendRPCCompleted(rpc, "p", 0)
	if len(tr.waiting) != 0 {
		t.Errorf("left: %v", tr.waiting)
	}
}
