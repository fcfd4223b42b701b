package router

import (
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// RouteView is one known way to a node.
type RouteView struct {
	To, Via peer.ID
	Hops    uint8
	Proven  bool
	RTT     time.Duration
	Age     time.Duration
	Cost    float64
}

// Routes lists the known ways, sorted by node and cost.
func (r *Router) Routes(now time.Time) []RouteView {
	var out []RouteView
	for _, d := range r.routes.list {
		for i := range d.ways {
			w := &d.ways[i]
			out = append(out, RouteView{
				To: d.node, Via: w.port.peer, Hops: w.hops, Proven: !w.proven.IsZero(),
				RTT: w.srtt, Age: now.Sub(w.heard), Cost: wayCost(now, w),
			})
		}
	}
	slices.SortFunc(out, func(a, b RouteView) int {
		if c := strings.Compare(string(a.To), string(b.To)); c != 0 {
			return c
		}
		switch {
		case a.Cost < b.Cost:
			return -1
		case a.Cost > b.Cost:
			return 1
		}
		return strings.Compare(string(a.Via), string(b.Via))
	})
	return out
}

// ProviderView is one known provider of a service.
type ProviderView struct {
	Peer       peer.ID
	Attributes mesh.Attributes
	Reachable  bool // a way is known
	Hops       uint8
	RTT        time.Duration
	Load       uint8
	Success    float64
	Cost       float64
	Age        time.Duration
	Expires    time.Time
}

// Providers lists the known providers of a service, this node not among them.
func (r *Router) Providers(now time.Time, service string) []ProviderView {
	var out []ProviderView
	for _, p := range r.providers[service] {
		if now.After(p.expires) {
			continue
		}
		v := ProviderView{
			Peer: p.peer, Attributes: p.attrs, RTT: p.srtt, Load: p.load, Success: p.success,
			Age: now.Sub(p.heard), Expires: p.expires,
		}
		if w := r.best(now, p.peer, mesh.MaxTTL, nil, nil); w != nil {
			v.Reachable, v.Hops, v.Cost = true, w.hops, r.providerCost(now, p, w)
		}
		out = append(out, v)
	}
	return out
}

// Services lists the names of services with a known provider, sorted.
func (r *Router) Services() []string {
	var out []string
	for s := range r.providers {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
