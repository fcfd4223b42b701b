package meshnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// CandidateInfo describes how a known provider stands for an address: whether
// it would be asked, and why not.
type CandidateInfo struct {
	Peer       peer.ID         `json:"peer"`
	Local      bool            `json:"local,omitempty"`
	Attributes mesh.Attributes `json:"attributes,omitempty"`
	// Standing is first, able, farther, full, "set aside", draining, incapable or "no way".
	Standing string        `json:"standing"`
	Why      string        `json:"why"` // a phrase
	Via      peer.ID       `json:"via,omitempty"`
	Hops     int           `json:"hops"`
	RTT      time.Duration `json:"rtt,omitempty"`
	Load     int           `json:"load"`    // percent
	Waiting  int           `json:"waiting"` // messages of this node it has not answered
	Success  float64       `json:"success"` // recent share of successes, 0 to 1
	Cost     CostInfo      `json:"cost"`
	Age      time.Duration `json:"age"`
}

// CostInfo is what makes a provider worse than another, in hops.
type CostInfo struct {
	Total    float64 `json:"total"`
	Way      float64 `json:"way"`
	RTT      float64 `json:"rtt"`
	Load     float64 `json:"load"`
	Failures float64 `json:"failures"`
	Newcomer float64 `json:"newcomer"`
}

// Explain tells of every known provider of an address' service how it stands,
// best first; it probes when none is known. ErrNoProvider: nobody answered.
func (n *Node) Explain(ctx context.Context, to string) ([]CandidateInfo, error) {
	if n.isClosed() {
		return nil, ErrClosed
	}
	addr, err := n.address(to)
	if err == nil && addr.Kind != mesh.KindService {
		err = fmt.Errorf("explain %s: need a service: %w", to, mesh.ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	list := n.fw.Explain(addr)
	if len(list) == 0 || list[0].Standing != router.First {
		err = n.fw.Find(ctx, addr)
		list = n.fw.Explain(addr)
	}
	if len(list) == 0 {
		if err == nil {
			err = mesh.ErrNoProvider
		}
		return nil, fmt.Errorf("explain %s: %w", to, err)
	}
	if err != nil && !errors.Is(err, mesh.ErrNoProvider) {
		return nil, fmt.Errorf("explain %s: %w", to, err)
	}
	var out []CandidateInfo
	for _, c := range list {
		out = append(out, CandidateInfo{
			Peer: c.Peer, Local: c.Peer == n.ID(), Attributes: c.Attributes, Standing: c.Standing.String(), Why: why(c, list[0]),
			Via: c.Via, Hops: int(c.Hops), RTT: c.RTT, Load: int(c.Load), Waiting: c.Waiting, Success: c.Success, Age: c.Age,
			Cost: CostInfo{c.Cost.Sum(), c.Cost.Way, c.Cost.RTT, c.Cost.Load, c.Cost.Failures, c.Cost.Newcomer},
		})
	}
	return out, nil
}

// why says in a phrase why a candidate stands where it does.
func why(c, first router.Candidate) string {
	switch c.Standing {
	case router.First:
		if c.Via == "" {
			return "a handler of this node"
		}
		return "none is cheaper"
	case router.Able:
		return more(c.Cost, first.Cost)
	case router.Farther:
		if c.Rank.Unmet > first.Rank.Unmet {
			return "others meet more of what is preferred"
		}
		return "others share more of this node's zone"
	case router.Full:
		return "said within the last second that it is full"
	case router.SetAside:
		return fmt.Sprintf("failed again and again, tried again in %v", c.Aside.Round(time.Second))
	case router.Draining:
		return "this node takes no new work"
	case router.Incapable:
		return c.Unmet
	}
	return "no way to it is known"
}

// more names the parts of a cost that are above another's, the way first.
func more(c, than router.Cost) string {
	var parts []string
	for _, p := range []struct {
		name string
		more float64
	}{
		{"way", c.Way - than.Way}, {"round trip", c.RTT - than.RTT}, {"load", c.Load - than.Load},
		{"failures", c.Failures - than.Failures}, {"newcomer", c.Newcomer - than.Newcomer},
	} {
		if p.more >= 0.05 {
			parts = append(parts, fmt.Sprintf("%s +%.1f", p.name, p.more))
		}
	}
	if len(parts) == 0 {
		return "costs the same"
	}
	return fmt.Sprintf("costs %.1f more: %s", c.Sum()-than.Sum(), strings.Join(parts, ", "))
}
