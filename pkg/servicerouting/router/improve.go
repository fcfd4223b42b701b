package router

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// A way that was learned from whoever knew one is seldom the shortest. A node
// by which many frames go to a node asks around for a shorter way: first its
// neighbours, then theirs, and less and less often while there is none.
// Asking is a probe bound to that node, whose reach is one hop less than the
// way in use: only who knows a shorter one answers.

const (
	improveAfter = 16              // frames by a way before it is worth asking
	improveWait  = 2 * time.Second // between two questions about one node, doubled while in vain
	improveMax   = 5 * time.Minute
	improveBurst = 2 // questions at once; Config.Improve a second after that
)

// improvable is called when a frame goes to d by w, and tells whether it is
// time to ask for a shorter way.
func (r *Router) improvable(now time.Time, d *dest, w *way) bool {
	if w.hops < 3 { // a way of two could only be one, and neighbours are known
		return false
	}
	if d.uses < improveAfter {
		d.uses++
		return false
	}
	return now.UnixNano() >= d.askAt && r.mayAsk(now)
}

// improve asks for a shorter way to the node that a frame to addr is bound to.
func (r *Router) improve(now time.Time, d *dest, w *way, addr string) {
	if d.asks > 0 && w.hops < d.before { // it helped: go on
		d.asks = 0
	}
	d.uses, d.before = 0, w.hops
	wait := min(improveWait<<min(d.asks, 10), improveMax)
	if d.asks < 255 {
		d.asks++
	}
	// A little early or late, so that a path's nodes do not all ask at once.
	d.askAt = now.UnixNano() + int64(wait) + r.rand.Int64N(int64(wait)/2)
	a, err := mesh.ParseAddress(serviceOf(addr))
	if err != nil {
		return
	}
	ring := uint8(2) // crossings: who is asked knows neighbours, and more or less of the rest
	if d.asks > 2 {
		ring = 3
	}
	ring = min(ring, w.hops-1)
	r.ask(now, probeKey{addr: a.String(), bound: d.node, ttl: ring, reach: w.hops - 1}, a, ring)
}

// mayAsk keeps questions in the background to Config.Improve a second.
func (r *Router) mayAsk(now time.Time) bool {
	at := now.UnixNano()
	if r.asks.at != 0 { // the first waits like the others: a crowd that starts has enough to do
		r.asks.left = min(improveBurst, r.asks.left+float64(at-r.asks.at)*1e-9*r.cfg.Improve)
	}
	r.asks.at = at
	if r.asks.left < 1 {
		return false
	}
	r.asks.left--
	return true
}

// ask sends a probe in the background: nobody waits for it, and what it
// brings is learned.
func (r *Router) ask(now time.Time, k probeKey, a mesh.Address, rings ...uint8) {
	if r.probes[k] != nil {
		return
	}
	pr := &probe{key: k, addr: a, rings: rings, quiet: true}
	r.probes[k] = pr
	r.stats.Asked++
	r.nextRing(now, pr, false)
}

// allowance is a token bucket.
type allowance struct {
	at   int64
	left float64
}
