package router

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// evidence is how well a way is known.
type evidence uint8

const (
	heard   evidence = iota // a relayed frame came from there: nobody's word
	offered                 // a node with the provider's record named it
	proven                  // an answer came back by it
)

// way is one neighbour through which a node can be reached. Times are Unix
// nanoseconds: a large mesh has many of these.
type way struct {
	port     *port
	answered int64 // when somebody last said so; 0: never
	heard    int64
	srtt     time.Duration
	hops     uint8
	known    evidence
}

// dest is a node and the ways to it.
type dest struct {
	node  peer.ID
	ways  []way
	index int32 // in routes.list

	// What improve knows.
	asks   uint8
	before uint8  // hops when it asked last
	uses   uint16 // since then
	askAt  int64
}

const maxWays = 4

// routes is the table of ways to nodes. The list beside the map makes the
// choice of whom to forget a function of the seed.
type routes struct {
	by   map[peer.ID]*dest
	list []*dest
}

func (r *Router) learn(now time.Time, node peer.ID, via *port, hops uint8, how evidence, rtt time.Duration) {
	if node == r.self || via == nil || via.closed || hops == 0 {
		return
	}
	if via.peer == node && hops > 1 {
		return // a neighbour is one hop away, whatever its frames say
	}
	at := now.UnixNano()
	d := r.routes.by[node]
	if d == nil {
		d = r.addDest(node)
	}
	for i := range d.ways {
		w := &d.ways[i]
		if w.port != via {
			continue
		}
		// What is known less well does not override what was proven lately,
		// unless it is shorter.
		switch {
		case how == proven:
			w.hops, w.known = hops, proven
			if rtt > 0 {
				w.srtt = smooth(w.srtt, rtt)
			}
		case hops < w.hops:
			w.hops, w.known = hops, how
		case how >= w.known, at-w.answered > int64(r.cfg.OfferFor):
			w.hops, w.known = hops, how
		}
		w.heard = at
		if how >= offered {
			w.answered = at
		}
		return
	}
	w := way{port: via, hops: hops, heard: at, srtt: rtt, known: how}
	if how >= offered {
		w.answered = at
	}
	if len(d.ways) < maxWays {
		d.ways = append(d.ways, w)
		return
	}
	per, worst := perHop(d), 0
	for i := range d.ways {
		if wayCost(&d.ways[i], per) > wayCost(&d.ways[worst], per) {
			worst = i
		}
	}
	if wayCost(&w, per) < wayCost(&d.ways[worst], per) {
		d.ways[worst] = w
	}
}

func (r *Router) addDest(node peer.ID) *dest {
	t := &r.routes
	if len(t.list) >= r.cfg.MaxRoutes {
		// The stalest of eight taken at random goes.
		var out *dest
		for range 8 {
			d := t.list[r.rand.IntN(len(t.list))]
			if out == nil || lastHeard(d) < lastHeard(out) {
				out = d
			}
		}
		r.dropDest(out)
	}
	delete(r.lost, node)
	d := &dest{node: node, index: int32(len(t.list)), ways: make([]way, 0, 1)}
	t.list = append(t.list, d)
	t.by[node] = d
	return d
}

func (r *Router) dropDest(d *dest) {
	t := &r.routes
	last := t.list[len(t.list)-1]
	t.list[d.index] = last
	last.index = d.index
	t.list[len(t.list)-1] = nil
	t.list = t.list[:len(t.list)-1]
	delete(t.by, d.node)
}

func lastHeard(d *dest) int64 {
	var at int64
	for i := range d.ways {
		at = max(at, d.ways[i].heard)
	}
	return at
}

// unlearn takes away the way to node by a port.
func (r *Router) unlearn(node peer.ID, via *port) {
	via.lastProven, via.lastOrigin = "", ""
	d := r.routes.by[node]
	if d == nil || via.peer == node {
		return // to a neighbour the link itself is the way
	}
	d.ways = slices.DeleteFunc(d.ways, func(w way) bool { return w.port == via })
	if len(d.ways) == 0 {
		r.dropDest(d)
	}
}

// forgetPort takes away every way by a port.
func (r *Router) forgetPort(p *port) {
	for i := len(r.routes.list) - 1; i >= 0; i-- {
		d := r.routes.list[i]
		d.ways = slices.DeleteFunc(d.ways, func(w way) bool { return w.port == p })
		if len(d.ways) == 0 {
			r.dropDest(d)
		}
	}
}

// rttPerHop is the round trip that costs as much as a hop.
const rttPerHop = 100 * time.Millisecond

// perHop is the round trip per hop of the best known way to a node, by which
// that of others is guessed; zero when none is known.
func perHop(d *dest) time.Duration {
	var per time.Duration
	for i := range d.ways {
		if w := &d.ways[i]; w.srtt > 0 {
			if p := w.srtt / time.Duration(w.hops); per == 0 || p < per {
				per = p
			}
		}
	}
	return per
}

// wayCost is in hops: crossings, a hop for each rttPerHop, two for a way that
// is only heard of and a half for one that was offered, a hundred for a link
// that is suspect.
func wayCost(w *way, per time.Duration) float64 {
	rtt := w.srtt
	if rtt == 0 {
		rtt = per * time.Duration(w.hops)
	}
	c := float64(w.hops) + float64(rtt)/float64(rttPerHop)
	switch w.known {
	case heard:
		c += 2
	case offered:
		c += 0.5
	}
	if w.port.suspect {
		c += 100
	}
	if w.port.leaving {
		c += 50
	}
	return c
}

// best is the cheapest way to node within the hops left, by none of the ports
// in not; nil when there is none.
func (r *Router) best(now time.Time, node peer.ID, ttl uint8, in *port, not []*port) *way {
	d := r.routes.by[node]
	if d == nil {
		return nil
	}
	return r.bestOf(now, d, ttl, in, not)
}

func (r *Router) bestOf(now time.Time, d *dest, ttl uint8, in *port, not []*port) *way {
	var b *way
	var bc float64
	oldest := now.UnixNano() - int64(r.cfg.RouteTTL)
	per := time.Duration(0)
	if len(d.ways) > 1 {
		per = perHop(d)
	}
	for i := range d.ways {
		w := &d.ways[i]
		if w.port == in || w.hops > ttl || w.port.closed || slices.Contains(not, w.port) || w.heard < oldest && w.port.peer != d.node {
			continue
		}
		if c := wayCost(w, per); b == nil || c < bc {
			b, bc = w, c
		}
	}
	return b
}

// smooth is the smoothed round trip of RFC 6298, with a gain of 1/8.
func smooth(srtt, rtt time.Duration) time.Duration {
	if srtt == 0 {
		return rtt
	}
	return srtt + (rtt-srtt)/8
}
