package router

import (
	"slices"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Sweep drops what has expired: entries of frames whose time is over, prunes,
// stale routes and providers. Call it about once a second.
func (r *Router) Sweep(now time.Time) {
	at := now.UnixNano()
	for _, p := range r.ports {
		if p.inflight.live == 0 {
			p.inflight.shrink()
			continue
		}
		var ended []*branch
		p.inflight.each(func(s *slot) {
			if at > s.expires {
				if s.br != nil {
					ended = append(ended, s.br)
				}
				p.inflight.drop(s)
			}
		})
		for _, br := range ended {
			r.settle(now, br, func(b *branch) { b.cut = true })
		}
	}
	for k, p := range r.prunes.cut {
		if !p.holds(now) {
			delete(r.prunes.cut, k)
		}
	}
	oldest := at - int64(r.cfg.RouteTTL)
	for i := len(r.routes.list) - 1; i >= 0; i-- {
		d := r.routes.list[i]
		d.ways = slices.DeleteFunc(d.ways, func(w way) bool {
			return w.port.peer != d.node && w.heard < oldest
		})
		if len(d.ways) == 0 {
			r.dropDest(d)
		}
	}
	for s, list := range r.providers {
		r.setProviders(s, slices.DeleteFunc(list, func(p *provider) bool { return now.After(p.expires) }))
	}
	for n, l := range r.lost {
		if now.After(l.wide) && now.After(l.until) {
			delete(r.lost, n)
		}
	}
	for a, n := range r.negative {
		if !now.Before(n.until) {
			delete(r.negative, a)
		}
	}
}

// InFlight is the number of frames sent by a port that wait for an answer.
func (r *Router) InFlight(no Port) int {
	if p := r.byPort[no]; p != nil {
		return p.inflight.live
	}
	return 0
}

// Pending is the number of publications of this node without a final word.
func (r *Router) Pending() int { return len(r.pubs) }

// Local gives what this node serves.
func (r *Router) Local() map[string][]mesh.Attributes { return r.local }
