package router

import (
	"math"
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

// passedOn is how many providers are kept of a service that this node never
// asked for, to name them to others.
const passedOn = 6

// provider is what is known of a node that serves a service.
type provider struct {
	peer     peer.ID
	attrs    mesh.Attributes
	digest   uint64 // of attrs
	epoch    uint64
	answer   []byte    // the probe answer it was told by, to name it to others
	answers  time.Time // until when the record in it holds
	outdated bool      // its attributes are others by now: a newer record is needed
	srtt     time.Duration
	first    time.Time // when it was first heard of
	since    time.Time // when it began to serve; zero: unknown
	heard    time.Time // when it last spoke to this node, or was told of
	expires  time.Time
	success  float64 // share of good outcomes, exponentially forgotten; 1 at first
	kept     float64 // by the last fade
	load     uint8   // percent
	waiting  int32   // messages of this node that it has and has not answered
	health
}

// Record tells the router of a provider, by a record whose signature the
// caller has checked. An older epoch than one known is ignored.
func (r *Router) Record(now time.Time, rec *mesh.Record, load uint8) { r.know(now, rec, load, nil) }

// know keeps a record and the answer that it came in.
func (r *Router) know(now time.Time, rec *mesh.Record, load uint8, answer []byte) {
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
			if rec.Epoch < p.epoch || rec.Epoch == p.epoch && p.outdated {
				return
			}
			if rec.Epoch > p.epoch { // a named record may tell of a load long gone
				p.fade(now)
				p.load, p.outdated = load, false
			}
			if rec.Epoch > p.epoch || p.answer == nil && answer != nil {
				p.answer, p.answers = slices.Clone(answer), expires
			}
			p.attrs, p.digest, p.epoch, p.since = rec.Attributes, rec.Attributes.Digest(), rec.Epoch, rec.Since
			if expires.After(p.expires) {
				p.expires = expires
			}
			return
		}
	}
	most := r.cfg.MaxProviders
	if !r.asked[rec.Service] {
		most = min(most, passedOn)
	}
	if len(list) >= most {
		stalest := 0
		for i, p := range list {
			if p.heard.Before(list[stalest].heard) {
				stalest = i
			}
		}
		list = slices.Delete(list, stalest, stalest+1)
	}
	r.providers[rec.Service] = append(list, &provider{
		peer: rec.Provider, attrs: rec.Attributes, digest: rec.Attributes.Digest(), epoch: rec.Epoch, answer: slices.Clone(answer), answers: expires,
		since: rec.Since, expires: expires, load: load, first: now, heard: now, success: 1,
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

// outdated tells whether a record of the service is known to be out of date:
// then others may name it still, and providers must speak for themselves.
func (r *Router) outdated(service string) bool {
	for _, p := range r.providers[service] {
		if p.outdated {
			return true
		}
	}
	return false
}

// gain is that of the exponentially forgotten scores.
const gain = 1. / 8

// good keeps score of a word of success.
func (r *Router) good(now time.Time, service string, rtt time.Duration, c Checked) {
	p := r.provider(service, c.Provider)
	if p == nil {
		return
	}
	switch c.Attributes {
	case 0:
	case p.digest: // its word renews its record
		p.expires = now.Add(maxRecord)
	default:
		p.outdated = true
	}
	p.fade(now)
	p.load = c.Load
	switch {
	case rtt <= 0:
	case p.srtt == 0, rtt > 2*p.srtt: // a peak counts at once (the peak EWMA of Finagle)
		p.srtt = rtt
	default:
		p.srtt += time.Duration(float64(rtt-p.srtt) * max(gain, 1-p.kept))
	}
	p.success += (1 - p.success) * gain
	p.health.good(now)
}

// bad keeps score of a handler's failure, of a message that came to nothing, or
// of a long silence.
func (r *Router) bad(now time.Time, service string, node peer.ID) {
	p := r.provider(service, node)
	if p == nil {
		return
	}
	p.fade(now)
	p.success -= p.success * gain
	out := 0
	list := r.providers[service]
	for _, q := range list {
		if q.out(now) {
			out++
		}
	}
	p.health.bad(now, 2*(out+1) <= len(list))
}

// busy notes that a provider had no room.
func (r *Router) busy(now time.Time, service string, node peer.ID) {
	if p := r.provider(service, node); p != nil {
		p.fade(now)
		p.load = 100
	}
}

// fade forgets what was seen long ago, before something new is noted.
func (p *provider) fade(now time.Time) {
	p.kept = faded(now.Sub(p.heard))
	p.success = 1 - (1-p.success)*p.kept
	p.heard = now
}

// took counts what a provider has of this node's and has not answered.
func (r *Router) took(service string, node peer.ID, n int32) {
	if p := r.provider(service, node); p != nil {
		p.waiting = max(0, p.waiting+n)
	}
}

// faded is what is left of something observed this long ago, with a half-life
// of a minute: who was slow once is tried again.
func faded(age time.Duration) float64 {
	if age <= 0 {
		return 1
	}
	return math.Exp2(-age.Minutes())
}
