package router

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Whoever is found first gets the message, and need not be the best there is.
// While messages go to a service of which few providers are known, or none in
// this node's zone, it looks for more in the background, near by, and less
// and less often.

const (
	variety    = 6               // providers of which there is a choice
	widenAfter = 2               // messages to a service before it is worth looking
	widenWait  = 5 * time.Second // doubled while in vain
	widenMax   = 5 * time.Minute
	maxWanted  = 1024
)

// wanted is what widen knows of a service.
type wanted struct {
	uses  uint8
	asks  uint8
	known uint8 // when it looked last
	askAt int64
}

// widen is called when a publication was bound to one of the known
// candidates, which r.able holds.
func (r *Router) widen(now time.Time, p *Pub) {
	zone := len(r.cfg.Zone)
	for i := range r.able {
		zone = min(zone, r.zoneDistance(r.able[i].p.attrs))
	}
	if zone == 0 && len(r.able) >= variety {
		return
	}
	w := r.wanted[p.To.Name]
	if w == nil {
		if len(r.wanted) >= maxWanted {
			clear(r.wanted)
		}
		w = new(wanted)
		r.wanted[p.To.Name] = w
	}
	if w.uses < widenAfter {
		w.uses++
		return
	}
	at := now.UnixNano()
	if at < w.askAt || !r.mayAsk(now) {
		return
	}
	known := uint8(min(len(r.able), 255))
	if known > w.known {
		w.asks = 0
	}
	w.known = known
	wait := min(widenWait<<min(w.asks, 10), widenMax)
	if w.asks < 255 {
		w.asks++
	}
	w.askAt = at + int64(wait) + r.rand.Int64N(int64(wait)/2)
	to := mesh.Service(p.To.Name)
	to.Selector = p.To.Selector.Require()
	rings := []uint8{2}
	if zone > 0 {
		level := r.cfg.Zone[len(r.cfg.Zone)-zone]
		near, err := mesh.ParseSelector(mesh.Attributes{level.Name: level.Value}.String())
		if err == nil {
			near, err = to.Selector.And(near)
		}
		if err != nil { // the selector names another zone: there is nothing nearer
			return
		}
		to.Selector, rings = near, []uint8{2, 3}
	}
	last := min(rings[len(rings)-1], p.TTL)
	for i := range rings {
		rings[i] = min(rings[i], p.TTL)
	}
	r.ask(now, probeKey{addr: to.String(), ttl: last, reach: p.TTL}, to, rings...)
}
