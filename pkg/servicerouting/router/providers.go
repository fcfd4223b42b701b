package router

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// NodeService is the service in the record by which a node answers a probe
// for its own address; no handler can take the name.
const NodeService = "_node"

// maxRecord is how long a record is believed, whatever it says: the time for
// which nodes make them, and the clock tolerance.
const maxRecord = 10*time.Minute + mesh.ClockTolerance

// provider is what is known of a node that serves a service.
type provider struct {
	peer    peer.ID
	attrs   mesh.Attributes
	epoch   uint64
	load    uint8
	success float64 // share of good outcomes, exponentially forgotten; 1 at first
	srtt    time.Duration
	heard   time.Time
	expires time.Time
}

// Record tells the router of a provider, by a record whose signature the
// caller has checked. An older epoch than one known is ignored.
func (r *Router) Record(now time.Time, rec *mesh.Record, load uint8) {
	if rec.Provider == r.self || rec.Service == NodeService || !rec.Expires.After(now) {
		return
	}
	expires := rec.Expires
	if latest := now.Add(maxRecord); expires.After(latest) {
		expires = latest
	}
	list, known := r.providers[rec.Service]
	if !known && len(r.providers) >= r.cfg.MaxServices {
		return
	}
	clear(r.negative)
	for _, p := range list {
		if p.peer == rec.Provider {
			if rec.Epoch >= p.epoch {
				p.attrs, p.epoch, p.expires = rec.Attributes, rec.Epoch, expires
				p.load, p.heard = load, now
			}
			return
		}
	}
	if len(list) >= r.cfg.MaxProviders {
		stalest := 0
		for i, p := range list {
			if p.heard.Before(list[stalest].heard) {
				stalest = i
			}
		}
		list = slices.Delete(list, stalest, stalest+1)
	}
	r.providers[rec.Service] = append(list, &provider{
		peer: rec.Provider, attrs: rec.Attributes, epoch: rec.Epoch, expires: expires,
		load: load, heard: now, success: 1,
	})
}

// Withdraw forgets that a node serves a service; an empty service means all
// that it serves.
func (r *Router) Withdraw(node peer.ID, service string) {
	gone := func(p *provider) bool { return p.peer == node }
	if service != "" {
		if list, ok := r.providers[service]; ok {
			r.setProviders(service, slices.DeleteFunc(list, gone))
		}
		return
	}
	for s, list := range r.providers {
		r.setProviders(s, slices.DeleteFunc(list, gone))
	}
}

func (r *Router) setProviders(service string, list []*provider) {
	if len(list) == 0 {
		delete(r.providers, service)
	} else {
		r.providers[service] = list
	}
}

func (r *Router) provider(service string, node peer.ID) *provider {
	for _, p := range r.providers[service] {
		if p.peer == node {
			return p
		}
	}
	return nil
}

// outcome keeps score: success is forgotten with a gain of 1/8.
func (r *Router) outcome(now time.Time, service string, node peer.ID, good bool, rtt time.Duration, load uint8) {
	p := r.provider(service, node)
	if p == nil {
		return
	}
	v := 0.0
	if good {
		v = 1
		p.heard, p.load = now, load
		if rtt > 0 {
			p.srtt = smooth(p.srtt, rtt)
		}
	}
	p.success += (v - p.success) / 8
}

// providerCost is in hops, as wayCost is: the way, a hop per 25 % of load,
// and up to eight for failing lately.
func (r *Router) providerCost(now time.Time, p *provider, w *way) float64 {
	return wayCost(now, w) + float64(p.load)/25 + 8*(1-p.success)
}

// choose takes two of the able at random and gives the better by cost, so
// that load spreads (Mitzenmacher, The Power of Two Choices, 2001).
func (r *Router) choose(now time.Time, p *Pub) *provider {
	r.able = r.able[:0]
	for _, c := range r.providers[p.To.Name] {
		if now.After(c.expires) || !p.To.Selector.Match(c.attrs) || p.excluded[c.peer] {
			continue
		}
		if r.best(now, c.peer, p.TTL, nil, nil) != nil {
			r.able = append(r.able, c)
		}
	}
	n := len(r.able)
	switch n {
	case 0:
		return nil
	case 1:
		return r.able[0]
	}
	i := r.rand.IntN(n)
	j := r.rand.IntN(n - 1)
	if j >= i {
		j++
	}
	a, b := r.able[i], r.able[j]
	if r.providerCost(now, b, r.best(now, b.peer, p.TTL, nil, nil)) < r.providerCost(now, a, r.best(now, a.peer, p.TTL, nil, nil)) {
		return b
	}
	return a
}
