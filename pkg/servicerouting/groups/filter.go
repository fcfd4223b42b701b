package groups

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// filter admits topics of this network's groups, a bounded number for each
// neighbour, so that nobody makes us keep track of more.
type filter struct {
	g *Groups

	mu     sync.Mutex
	topics map[peer.ID]map[string]struct{} // what neighbours are in
	wanted map[string]struct{}             // of it, what is to be relayed
	wake   chan struct{}
}

// manyPeers is how many neighbours are remembered before those that have
// gone are forgotten.
const manyPeers = 1024

func newFilter(g *Groups) *filter {
	return &filter{
		g: g, topics: make(map[peer.ID]map[string]struct{}), wanted: make(map[string]struct{}),
		wake: make(chan struct{}, 1),
	}
}

// CanSubscribe reports whether a topic is one of a group of this network.
func (f *filter) CanSubscribe(t string) bool {
	name, ok := strings.CutPrefix(t, f.g.prefix)
	return ok && mesh.ValidName("group name", name) == nil
}

// FilterIncomingSubscriptions is called for what a neighbour says it is in.
func (f *filter) FilterIncomingSubscriptions(p peer.ID, subs []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	if len(subs) > MaxOfNeighbour {
		return nil, fmt.Errorf("%d subscriptions at once, at most %d: %w", len(subs), MaxOfNeighbour, mesh.ErrTooLarge)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(subs), func(s *pb.RPC_SubOpts) bool { return !f.admit(p, s) }), nil
}

func (f *filter) admit(p peer.ID, s *pb.RPC_SubOpts) bool {
	t := s.GetTopicid()
	if !f.CanSubscribe(t) {
		return false
	}
	in := f.topics[p]
	if !s.GetSubscribe() {
		if delete(in, t); len(in) == 0 {
			delete(f.topics, p)
		}
		return true
	}
	if _, known := in[t]; !known {
		if len(in) >= MaxOfNeighbour {
			return false
		}
		if in == nil {
			f.forgetGone()
			in = make(map[string]struct{})
			f.topics[p] = in
		}
		in[t] = struct{}{}
	}
	if len(f.wanted) < MaxRelayed {
		f.wanted[strings.TrimPrefix(t, f.g.prefix)] = struct{}{}
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
	return true
}

func (f *filter) forgetGone() {
	if len(f.topics) < manyPeers {
		return
	}
	for p := range f.topics {
		if f.g.host.Network().Connectedness(p) == network.NotConnected {
			delete(f.topics, p)
		}
	}
}

// take gives what is to be relayed since the last call.
func (f *filter) take() map[string]struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := f.wanted
	f.wanted = make(map[string]struct{})
	return names
}
