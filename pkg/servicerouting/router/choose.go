package router

import (
	"cmp"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Cost is what makes one able provider worse than another, in hops.
type Cost struct {
	Way      float64 // crossings, doubts about the way
	RTT      float64 // the smoothed round trip, handler included
	Load     float64 // what it said of its load, and what it has of this node's
	Failures float64
	Newcomer float64
}

// Sum is the whole cost.
func (c Cost) Sum() float64 { return c.Way + c.RTT + c.Load + c.Failures + c.Newcomer }

const (
	loadHops    = 4. // a provider whose handlers are all busy
	waitingHops = 1. / 8
	failureHops = 8.
	// rttHop is the round trip to a provider that costs as much as a hop. It is
	// shorter than rttPerHop: the time of its handler is in it.
	rttHop  = 40 * time.Millisecond
	newHops = 4.
)

// cost of a provider that is reached by w.
func (r *Router) cost(now time.Time, p *provider, w *way) Cost {
	age := now.Sub(p.heard)
	rtt := p.srtt
	if rtt == 0 {
		rtt = w.srtt
	}
	return Cost{
		Way:      wayCost(w, 0) - float64(w.srtt)/float64(rttPerHop),
		RTT:      float64(rtt) / float64(rttHop) * faded(age),
		Load:     loadHops*float64(p.load)/100*faded(10*age) + waitingHops*float64(p.waiting),
		Failures: failureHops * (1 - p.success) * faded(age),
		Newcomer: newHops * p.newness(now),
	}
}

// able is a candidate of choose.
type able struct {
	p    *provider
	way  *way
	rank Rank
}

// Rank is how far a provider is from what is preferred; who is nearer is asked
// first, whatever it costs.
type Rank struct {
	Unmet int // mesh.Selector.Unmet: the preferences not met
	Zone  int // levels of this node's zone that it does not share
}

func (a Rank) compare(b Rank) int {
	return cmp.Or(cmp.Compare(a.Unmet, b.Unmet), cmp.Compare(a.Zone, b.Zone))
}

func (r *Router) rank(sel mesh.Selector, attrs mesh.Attributes) Rank {
	return Rank{sel.Unmet(attrs), r.zoneDistance(attrs)}
}

// zoneDistance is the number of levels of this node's zone, the widest first,
// that a provider does not share.
func (r *Router) zoneDistance(attrs mesh.Attributes) int {
	for i, level := range r.cfg.Zone {
		if attrs[level.Name] != level.Value {
			return len(r.cfg.Zone) - i
		}
	}
	return 0
}

// candidates gathers whom a publication may ask into r.able: the able that a
// way leads to, of the best rank that has room, without those set aside.
func (r *Router) candidates(now time.Time, p *Pub) []able {
	all := r.able[:0]
	for _, c := range r.providers[p.To.Name] {
		if now.After(c.expires) || c.outdated || p.excluded[c.peer] || p.Among.has(c.peer, p) || !p.To.Selector.Match(c.attrs) {
			continue
		}
		if w := r.best(now, c.peer, p.TTL, nil, nil); w != nil {
			all = append(all, able{c, w, r.rank(p.To.Selector, c.attrs)})
		}
	}
	r.able = all
	if kept := filter(all, func(a able) bool { return !a.p.out(now) }); len(kept) > 0 {
		all = kept
	}
	// Of the best rank, unless all of it said lately that it is full.
	if kept := filter(all, func(a able) bool { return a.p.load < 100 || now.Sub(a.p.heard) > time.Second }); len(kept) > 0 {
		all = kept
	}
	if len(all) == 0 {
		return nil
	}
	best := all[0].rank
	for _, a := range all {
		if a.rank.compare(best) < 0 {
			best = a.rank
		}
	}
	return filter(all, func(a able) bool { return a.rank == best })
}

// filter moves what is kept to the front, and loses nothing.
func filter(list []able, keep func(able) bool) []able {
	n := 0
	for i := range list {
		if keep(list[i]) {
			list[n], list[i] = list[i], list[n]
			n++
		}
	}
	return list[:n]
}

// choose takes two of the candidates at random and gives the better by cost,
// so that load spreads (Mitzenmacher, The Power of Two Choices, 2001). A small
// difference is no reason to starve anybody: the worse one is taken one time
// in two when it costs the same, one in eight when it costs a hop more, one in
// thirty-two at two hops. With a sticky key the same candidate is taken as long
// as it is one.
func (r *Router) choose(now time.Time, p *Pub) *provider {
	list := r.candidates(now, p)
	n := len(list)
	switch {
	case n == 0:
		return nil
	case n == 1:
		return list[0].p
	case p.Sticky != "":
		return stick(p.Sticky, list)
	}
	i := r.rand.IntN(n)
	j := r.rand.IntN(n - 1)
	if j >= i {
		j++
	}
	a, b := &list[i], &list[j]
	worse := r.cost(now, b.p, b.way).Sum() - r.cost(now, a.p, a.way).Sum()
	if worse < 0 {
		a, b, worse = b, a, -worse
	}
	if r.rand.Float64() < math.Exp2(-2*worse-1) {
		return b.p
	}
	return a.p
}

// stick is rendezvous hashing: a candidate that comes or goes moves no keys
// but its own (Thaler, Ravishankar: Using Name-Based Mappings to Increase Hit
// Rates, 1998).
func stick(key string, list []able) *provider {
	var best *provider
	var most uint64
	for _, a := range list {
		if h := score(key, a.p.peer); best == nil || h > most {
			best, most = a.p, h
		}
	}
	return best
}

// score is FNV-1a over key and node, finished as in MurmurHash3.
func score(key string, node peer.ID) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [2]string{key, string(node)} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h *= 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// enough tells whether as many providers are known as the publication wants.
func (r *Router) enough(now time.Time, p *Pub) bool {
	if p.Need > 1 {
		known := 0
		for _, c := range r.providers[p.To.Name] {
			if !now.After(c.expires) && !c.outdated && p.To.Selector.Match(c.attrs) && r.best(now, c.peer, p.TTL, nil, nil) != nil {
				known++
			}
		}
		if r.serves(p.To) == mesh.StatusOK {
			known++
		}
		if known < p.Need {
			return false
		}
	}
	return r.choose(now, p) != nil
}

// Among is shared by publications that must each go to another provider.
type Among struct{ taken map[peer.ID]*Pub }

// has tells whether another publication than p goes to node.
func (a *Among) has(node peer.ID, p *Pub) bool {
	if a == nil {
		return false
	}
	q, ok := a.taken[node]
	return ok && q != p
}

// take notes that p goes to node.
func (a *Among) take(node peer.ID, p *Pub) {
	if a == nil {
		return
	}
	if a.taken == nil {
		a.taken = make(map[peer.ID]*Pub)
	}
	a.taken[node] = p
}
