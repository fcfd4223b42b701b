package router

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// way is one neighbour through which a node can be reached.
type way struct {
	port   *port
	hops   uint8
	proven time.Time // when an answer last came back by it; zero: only heard of
	heard  time.Time
	srtt   time.Duration
}

// dest is a node and the ways to it.
type dest struct {
	node  peer.ID
	ways  []way
	index int // in routes.list
}

const maxWays = 4

// routes is the table of ways to nodes. The list beside the map makes the
// choice of whom to forget a function of the seed.
type routes struct {
	by   map[peer.ID]*dest
	list []*dest
}

func (r *Router) learn(now time.Time, node peer.ID, via *port, hops uint8, proven bool, rtt time.Duration) {
	if node == r.self || via == nil || via.closed || hops == 0 {
		return
	}
	if via.peer == node && hops > 1 {
		return // a neighbour is one hop away, whatever its frames say
	}
	d := r.routes.by[node]
	if d == nil {
		d = r.addDest(now, node)
	}
	for i := range d.ways {
		w := &d.ways[i]
		if w.port != via {
			continue
		}
		// What was only heard does not override what was proven lately, unless it
		// is shorter.
		if proven || hops < w.hops || w.proven.IsZero() || now.Sub(w.proven) > r.cfg.RouteTTL {
			w.hops = hops
		}
		w.heard = now
		if proven {
			w.proven = now
			if rtt > 0 {
				w.srtt = smooth(w.srtt, rtt)
			}
		}
		return
	}
	w := way{port: via, hops: hops, heard: now, srtt: rtt}
	if proven {
		w.proven = now
	}
	if len(d.ways) < maxWays {
		d.ways = append(d.ways, w)
		return
	}
	worst := 0
	for i := range d.ways {
		if wayCost(now, &d.ways[i]) > wayCost(now, &d.ways[worst]) {
			worst = i
		}
	}
	if wayCost(now, &w) < wayCost(now, &d.ways[worst]) {
		d.ways[worst] = w
	}
}

func (r *Router) addDest(now time.Time, node peer.ID) *dest {
	t := &r.routes
	if len(t.list) >= r.cfg.MaxRoutes {
		// The stalest of eight taken at random goes.
		var out *dest
		for range 8 {
			d := t.list[r.rand.IntN(len(t.list))]
			if out == nil || lastHeard(d).Before(lastHeard(out)) {
				out = d
			}
		}
		r.dropDest(out)
	}
	d := &dest{node: node, index: len(t.list), ways: make([]way, 0, 1)}
	t.list = append(t.list, d)
	t.by[node] = d
	return d
}

func (r *Router) dropDest(d *dest) {
	t := &r.routes
	last := t.list[len(t.list)-1]
	t.list[d.index] = last
	last.index = d.index
	t.list = t.list[:len(t.list)-1]
	delete(t.by, d.node)
}

func lastHeard(d *dest) time.Time {
	var t time.Time
	for _, w := range d.ways {
		if w.heard.After(t) {
			t = w.heard
		}
	}
	return t
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

// wayCost is in hops: crossings, a hop per 20 ms of round trip, two for a way
// that is only heard of, a hundred for a link that is suspect.
func wayCost(now time.Time, w *way) float64 {
	c := float64(w.hops) + float64(w.srtt)/float64(20*time.Millisecond)
	if w.proven.IsZero() {
		c += 2
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
	var b *way
	var bc float64
	for i := range d.ways {
		w := &d.ways[i]
		if w.port == in || w.hops > ttl || w.port.closed || slices.Contains(not, w.port) || now.Sub(w.heard) > r.cfg.RouteTTL && w.port.peer != node {
			continue
		}
		if c := wayCost(now, w); b == nil || c < bc {
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
