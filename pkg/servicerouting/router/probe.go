package router

import (
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// probe is a search for a provider of an address, or for a way to a provider
// that is bound already, in rings that grow.
type probe struct {
	key     probeKey
	addr    mesh.Address
	ring    int // the next one to send
	rings   []uint8
	waiting []*Pub
	numbers []uint64
	wake    *wake
	heard   bool // somebody able has answered, if of no use to who waits
	quiet   bool // in the background: nobody waits
	alone   bool // the last ring was short, and is out once more
	done    bool
}

type probeKey struct {
	addr  string
	bound peer.ID
	ttl   uint8
	reach uint8 // within which others may name a provider; 0: none may
}

// negative remembers that nobody within a TTL serves an address.
type negative struct {
	until time.Time
	ttl   uint8
}

const maxNegative = 1024

// negativeKey is the address of the probes for an address: without what is
// only preferred.
func negativeKey(to mesh.Address) string {
	to.Selector = to.Selector.Require()
	return to.String()
}

// startProbe makes p wait for a probe; publications to the same address share one.
func (r *Router) startProbe(now time.Time, p *Pub) {
	if p.done || p.probing != nil {
		return
	}
	wide, wait := r.mayLookFor(now, p.provider, p.TTL)
	if wait {
		r.noProvider(now, p)
		return
	}
	// What others know has led nowhere once: then providers speak for themselves.
	reach := p.TTL
	if p.probed++; p.probed > 1 || p.Need > maxNamed || r.outdated(p.To.Name) {
		reach = 0
	}
	to := p.To
	to.Selector = to.Selector.Require()
	k := probeKey{to.String(), p.provider, p.TTL, reach}
	pr := r.probes[k]
	fresh := pr == nil || pr.quiet // nobody may wait for one in the background
	if fresh {
		pr = &probe{key: k, addr: to}
		for _, t := range r.cfg.Rings {
			if t > nearby && !wide {
				break
			}
			pr.rings = append(pr.rings, min(t, p.TTL))
			if t >= p.TTL {
				break
			}
		}
		r.probes[k] = pr
	}
	p.probing = pr
	pr.waiting = append(pr.waiting, p)
	if fresh {
		r.nextRing(now, pr, false)
	}
}

// nextRing sends the next ring, or with again set the last one once more.
func (r *Router) nextRing(now time.Time, pr *probe, again bool) {
	if pr.done {
		return
	}
	if again {
		pr.ring = max(0, pr.ring-1)
	}
	r.lastProbe++
	r.stats.Probes++
	pr.numbers = append(pr.numbers, r.lastProbe)
	r.probeByNo[r.lastProbe] = pr
	r.do(Action{Op: OpProbe, Probe: r.lastProbe, Address: pr.addr, TTL: pr.rings[pr.ring], Hop: mesh.HopHeader{Bound: pr.key.bound}})
	r.wakeProbeAt(pr, now.Add(r.cfg.RingWait[pr.ring]))
	pr.ring++
}

// SendProbe sends the probe envelope that OpProbe asked for.
func (r *Router) SendProbe(now time.Time, number uint64, key Key, expires time.Time, tag any) {
	pr := r.probeByNo[number]
	if pr == nil || pr.done {
		return
	}
	ttl := pr.rings[pr.ring-1]
	r.seen.mark(mix(key, 0, 0), ttl)
	br := &branch{probe: pr, ring: number, origin: r.self, addr: pr.key.addr, expires: expires, pending: 1}
	hop := mesh.HopHeader{Flags: mesh.FlagProbe, TTL: ttl, Bound: pr.key.bound, Reach: pr.key.reach}
	if pr.alone {
		hop.Reach = 0
	}
	br.search = searchKey{pr.key.addr, hop.Bound, hop.Reach > 0}
	r.lead(br, ttl)
	r.spread(now, br, Action{Tag: tag, Local: true, Lane: 2, Hop: hop}, nil)
	r.settle(now, br, nil)
}

// probeBranchDone is called when every neighbour has answered a ring.
func (r *Router) probeBranchDone(now time.Time, pr *probe, br *branch) {
	if pr.done || br.ring != pr.numbers[len(pr.numbers)-1] {
		return // a wider ring is out already
	}
	if pr.quiet && pr.heard {
		r.endProbe(pr)
		return
	}
	// A branch with somebody able in it does not say whether its TTL cut it.
	useless := br.found > 0 && r.unserved(now, pr)
	if (br.cut || br.short || useless) && pr.ring < len(pr.rings) {
		r.nextRing(now, pr, false)
		return
	}
	if (br.short || useless) && r.askAlone(now, pr) {
		return // some of it was another search's, or who was found is of no use
	}
	r.probeFailed(now, pr, !br.cut)
}

// wakeProbe is called when a ring's time is over: the next goes out, and
// answers to the former still count.
func (r *Router) wakeProbe(now time.Time, pr *probe) {
	if pr.done {
		return
	}
	if pr.ring < len(pr.rings) && !(pr.quiet && pr.heard) {
		r.nextRing(now, pr, false)
		return
	}
	if r.askAlone(now, pr) {
		return // perhaps two searches waited for each other
	}
	r.probeFailed(now, pr, false)
}

// unserved tells whether somebody waits for whom nobody is known, or not as
// many as wanted.
func (r *Router) unserved(now time.Time, pr *probe) bool {
	return slices.ContainsFunc(pr.waiting, func(p *Pub) bool { return p.Need > 1 || r.choose(now, p) == nil })
}

// askAlone sends the last ring once more, to be answered by providers alone,
// when others may have answered, or not answered, for them.
func (r *Router) askAlone(now time.Time, pr *probe) bool {
	if pr.quiet || pr.alone || pr.key.reach == 0 || !r.unserved(now, pr) {
		return false
	}
	pr.alone = true
	r.nextRing(now, pr, true)
	return true
}

// probeFailed tells those who wait that nobody was found; it is remembered
// when every branch has said so.
func (r *Router) probeFailed(now time.Time, pr *probe, all bool) {
	r.endProbe(pr)
	if pr.quiet {
		return
	}
	r.notFound(now, pr)
	if all && pr.key.bound == "" && !pr.heard && r.cfg.NegativeTTL > 0 {
		if len(r.negative) >= maxNegative {
			clear(r.negative)
		}
		r.negative[pr.key.addr] = negative{now.Add(r.cfg.NegativeTTL), pr.key.ttl}
	}
	for _, p := range pr.waiting {
		p.probing = nil
		switch {
		case p.done:
		case p.Need > 0: // as many as there are
			p.Need = 0
			r.resolve(now, p)
		case p.provider == "" && r.choose(now, p) != nil: // heard of in another way meanwhile
			r.resolve(now, p)
		default:
			r.noProvider(now, p)
		}
	}
}

// probeFound lets those who wait go on, if the answer is of use to them.
func (r *Router) probeFound(now time.Time, pr *probe, found peer.ID) {
	if pr.done {
		return
	}
	pr.heard = true
	if pr.quiet {
		return // learned already; the ring that is out goes to its end
	}
	var ready []*Pub
	pr.waiting = slices.DeleteFunc(pr.waiting, func(p *Pub) bool {
		switch {
		case p.done:
			return true
		case p.provider != "" && p.provider == found,
			p.provider == "" && r.enough(now, p):
			ready = append(ready, p)
			return true
		}
		return false
	})
	if len(pr.waiting) == 0 {
		r.endProbe(pr)
	}
	for _, p := range ready {
		p.probing = nil
		p.fresh = true
		r.resolve(now, p)
	}
}

func (r *Router) endProbe(pr *probe) {
	pr.done = true
	r.unwake(pr.wake)
	if r.probes[pr.key] == pr {
		delete(r.probes, pr.key)
	}
	for _, n := range pr.numbers {
		delete(r.probeByNo, n)
	}
}

func (r *Router) stopProbing(p *Pub) {
	if pr := p.probing; pr != nil {
		p.probing = nil
		pr.waiting = slices.DeleteFunc(pr.waiting, func(q *Pub) bool { return q == p })
		if len(pr.waiting) == 0 {
			r.endProbe(pr)
		}
	}
}

func (r *Router) sortedProbes() []*probe {
	var out []*probe
	for _, pr := range r.probes {
		if !pr.quiet {
			out = append(out, pr)
		}
	}
	slices.SortFunc(out, func(a, b *probe) int {
		if c := strings.Compare(a.key.addr, b.key.addr); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.key.bound), string(b.key.bound)); c != 0 {
			return c
		}
		return (int(a.key.ttl)-int(b.key.ttl))<<8 + int(a.key.reach) - int(b.key.reach)
	})
	return out
}
