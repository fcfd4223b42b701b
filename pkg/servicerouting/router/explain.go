package router

import (
	"cmp"
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
				To: d.node, Via: w.port.peer, Hops: w.hops, Proven: w.known == proven,
				RTT: w.srtt, Age: since(now, w.heard), Cost: wayCost(w, perHop(d)),
			})
		}
	}
	slices.SortFunc(out, func(a, b RouteView) int {
		return cmp.Or(strings.Compare(string(a.To), string(b.To)), cmp.Compare(a.Cost, b.Cost), strings.Compare(string(a.Via), string(b.Via)))
	})
	return out
}

// Standing is why a candidate would be asked, or would not.
type Standing uint8

// The standings, best first.
const (
	First     Standing = iota // what Publish would take, of two that it drew
	Able                      // might be drawn, costs more
	Farther                   // others meet more preferences, or share more of the zone
	Full                      // said within the last second that it is full; others did not
	SetAside                  // failed again and again
	Draining                  // this node, which takes no new work
	NoWay                     // no way to it is known
	Incapable                 // does not match the selector
)

var standings = [...]string{"first", "able", "farther", "full", "set aside", "draining", "no way", "incapable"}

// String gives the standing in words.
func (s Standing) String() string { return standings[s] }

// Candidate is one known provider, as a message to an address sees it.
type Candidate struct {
	Peer       peer.ID // this node, when it serves the name itself
	Attributes mesh.Attributes
	Standing   Standing
	Unmet      string // of Incapable: the test that failed, in words
	Via        peer.ID
	Hops       uint8
	RTT        time.Duration
	Load       uint8 // percent
	Waiting    int   // messages of this node that it has and has not answered
	Success    float64
	Rank       Rank
	Cost       Cost          // in hops
	Aside      time.Duration // of SetAside: how long still
	Age        time.Duration // since it last spoke, or was told of
	Expires    time.Time
}

// Explain tells of every known provider of an address' service how it stands,
// best first: candidates, what they cost, and why they would not be asked.
func (r *Router) Explain(now time.Time, to mesh.Address, ttl uint8) []Candidate {
	var out []Candidate
	p := &Pub{To: to, TTL: ttl}
	home := -1 // preferences not met by the best of this node's handlers
	for _, attrs := range r.local[to.Name] {
		if u := to.Selector.Unmet(attrs); to.Selector.Match(attrs) && (home < 0 || u < home) {
			home = u
		}
	}
	for _, attrs := range r.local[to.Name] {
		c := Candidate{Peer: r.self, Attributes: attrs, Success: 1, Rank: Rank{Unmet: to.Selector.Unmet(attrs)}}
		switch {
		case r.draining:
			c.Standing = Draining
		case !to.Selector.Match(attrs):
			c.Standing, c.Unmet = Incapable, to.Selector.Explain(attrs)
		case c.Rank.Unmet > home:
			c.Standing = Farther
		}
		out = append(out, c)
	}
	kept := make(map[peer.ID]bool)
	for _, a := range r.candidates(now, p) {
		kept[a.p.peer] = true
	}
	var best Rank
	for _, a := range r.able {
		if kept[a.p.peer] {
			best = a.rank
		}
	}
	for _, k := range r.providers[to.Name] {
		if now.After(k.expires) {
			continue
		}
		c := Candidate{
			Peer: k.peer, Attributes: k.attrs, Standing: Able, RTT: k.srtt, Load: k.load, Waiting: int(k.waiting),
			Success: k.success, Rank: r.rank(to.Selector, k.attrs), Age: now.Sub(k.heard), Expires: k.expires,
		}
		w := r.best(now, k.peer, ttl, nil, nil)
		if w != nil {
			c.Via, c.Hops, c.Cost = w.port.peer, w.hops, r.cost(now, k, w)
		}
		switch {
		case !to.Selector.Match(k.attrs):
			c.Standing, c.Unmet = Incapable, to.Selector.Explain(k.attrs)
		case w == nil:
			c.Standing = NoWay
		case kept[k.peer]:
		case k.out(now):
			c.Standing, c.Aside = SetAside, k.until.Sub(now)
		case c.Rank.compare(best) > 0:
			c.Standing = Farther
		default:
			c.Standing = Full
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Standing, b.Standing), cmp.Compare(a.Cost.Sum(), b.Cost.Sum()), strings.Compare(string(a.Peer), string(b.Peer)))
	})
	if len(out) > 0 && out[0].Standing == Able {
		out[0].Standing = First
	}
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
			v.Reachable, v.Hops, v.Cost = true, w.hops, r.cost(now, p, w).Sum()
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
