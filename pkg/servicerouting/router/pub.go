package router

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Pub is a publication of this node: a message on its way to whoever serves
// its address. The caller fills the upper part and does not change it.
type Pub struct {
	ID       mesh.ID
	Origin   peer.ID // empty: this node
	To       mesh.Address
	Mode     mesh.Mode
	Class    mesh.Class
	Request  bool
	TTL      uint8
	Hops     uint8 // crossings done already, of a message passed on
	Expires  time.Time
	Failover bool // another provider may be asked after an unknown outcome
	Lane     uint8
	Key      Key
	Tag      any // the bytes, given back in actions
	// Exclude names providers not to ask, this node among them perhaps.
	Exclude []peer.ID
	// Forwarded marks a message that its provider passes on.
	Forwarded bool
	// Only: find a provider, send nothing; the outcome is OK when one is known.
	Only bool
	// NoWait: do not wait for a busy provider.
	NoWait bool
	// Sticky: messages with the same key go to the same provider, as long as
	// it is among the best that this node knows. Empty: the better of two.
	Sticky string
	// Need is how many providers should be known before one is taken; fewer
	// will do when a search finds no more. 0 and 1: any.
	Need int
	// Among: publications that share one go to different providers.
	Among *Among

	provider peer.ID
	excluded map[peer.ID]bool
	tries    []try // those whose outcome is not known
	attempts int
	rto      time.Duration
	firstAt  time.Time
	last     mesh.Status
	detail   string
	wake     *wake
	asked    []peer.ID        // those it was sent to
	answered map[peer.ID]bool // of mode all
	probing  *probe
	fresh    bool    // a probe has just found a way
	silent   int     // times the timer ran out since the last word
	probed   int     // probes made for it
	counted  peer.ID // whose waiting count it is in
	done     bool
	br       *branch // of mode all
	got      int     // answers of mode all
}

// maxAttempts is what the attempt number on the wire can tell apart.
const maxAttempts = 250

// try is one sending that may have had an effect.
type try struct {
	attempt uint8
	port    *port
	doubt   bool // the way said unknown, or nothing for long: others first
}

// Publish resolves the address and sends. News comes by OpNews.
func (r *Router) Publish(now time.Time, p *Pub) {
	p.excluded = make(map[peer.ID]bool)
	r.includeAll(p)
	p.firstAt, p.rto = now, r.cfg.Retry
	if p.Origin == "" {
		p.Origin = r.self
	}
	if _, twice := r.pubs[p.ID]; twice && !p.Forwarded || len(r.pubs) >= r.cfg.MaxPending {
		p.done = true
		r.do(Action{Op: OpNews, Pub: p, Outcome: Outcome{Status: mesh.StatusBusy, Final: true, Detail: "too many messages in flight"}})
		return
	}
	if !p.Forwarded {
		r.pubs[p.ID] = p
	}
	if p.Mode == mesh.ModeAll {
		r.publishAll(now, p)
		return
	}
	r.resolve(now, p)
}

// Cancel ends a publication for which nobody waits any more; late says that
// its time was over. It gives the provider it was bound to, and the last
// refusal when that proves that nothing was done, 0 otherwise.
func (r *Router) Cancel(now time.Time, p *Pub, late bool) (peer.ID, mesh.Status) {
	if late && !p.done && len(p.tries) > 0 {
		r.bad(now, p.To.Name, p.provider)
	}
	p.done = true
	r.forgetPub(p)
	if len(p.tries) == 0 && p.last.Negative() {
		return p.provider, p.last
	}
	return p.provider, 0
}

// resolve finds a provider: this node, a known one, or one that a probe finds.
func (r *Router) resolve(now time.Time, p *Pub) {
	if p.done {
		return
	}
	if p.To.Kind == mesh.KindNode {
		p.provider = p.To.Node
	} else if !r.asked[p.To.Name] {
		if len(r.asked) >= r.cfg.MaxServices {
			clear(r.asked)
		}
		r.asked[p.To.Name] = true
	}
	if p.Only && (r.serves(p.To) == mesh.StatusOK || r.choose(now, p) != nil) {
		r.finish(p, Outcome{Status: mesh.StatusOK})
		return
	}
	if !p.excluded[r.self] && !p.Among.has(r.self, p) && (p.provider == "" || p.provider == r.self) && r.serves(p.To) == mesh.StatusOK {
		p.Among.take(r.self, p)
		r.deliverLocal(now, p)
		return
	}
	if p.provider == "" && (p.Need < 2 || r.enough(now, p)) {
		if c := r.choose(now, p); c != nil {
			p.provider = c.peer
			p.Among.take(c.peer, p)
			r.widen(now, p)
		}
	}
	if p.provider != "" {
		r.try(now, p)
		return
	}
	if n, ok := r.negative[negativeKey(p.To)]; ok && now.Before(n.until) && p.TTL <= n.ttl {
		r.noProvider(now, p)
		return
	}
	r.startProbe(now, p)
}

func (r *Router) deliverLocal(now time.Time, p *Pub) {
	p.provider = r.self
	p.attempts++
	p.last = mesh.StatusUnknown // until it has answered
	r.stats.Delivered++
	r.do(Action{Op: OpDeliver, Tag: p.Tag, Address: p.To, Pub: p, Token: Token{pub: p, Origin: p.Origin, fire: p.Class == mesh.ClassFire, hops: p.Hops}})
	r.wakePubAt(p, p.Expires)
}

// try sends to the bound provider by the best way that is not in doubt, or
// else by any.
func (r *Router) try(now time.Time, p *Pub) {
	if p.attempts >= maxAttempts {
		r.wakePubAt(p, p.Expires)
		return
	}
	var doubtful []*port
	for _, t := range p.tries {
		if t.doubt {
			doubtful = append(doubtful, t.port)
		}
	}
	w := r.best(now, p.provider, p.TTL, nil, doubtful)
	if w == nil && p.fresh { // a probe has just come back by it
		w = r.best(now, p.provider, p.TTL, nil, nil)
	}
	fresh := p.fresh
	p.fresh = false
	switch {
	case w != nil:
	case fresh: // found, but not within the hops left
		r.noProvider(now, p)
		return
	case p.Failover && p.To.Kind == mesh.KindService && r.chooseOther(now, p):
		r.try(now, p)
		return
	default:
		r.startProbe(now, p)
		return
	}
	hop := mesh.HopHeader{
		TTL: p.TTL, Hops: p.Hops, Attempt: uint8(p.attempts), Budget: mesh.FirstBudget,
		Priority: p.Lane, Bound: p.provider,
	}
	if p.Forwarded {
		hop.Flags |= mesh.FlagForwarded
		hop.Nonce = r.rand.Uint32() | 1
	}
	if !slices.Contains(p.asked, p.provider) {
		p.asked = append(p.asked, p.provider)
	}
	if p.counted != p.provider && p.Class != mesh.ClassFire {
		r.release(p)
		p.counted = p.provider
		r.took(p.To.Name, p.provider, 1)
	}
	if d := r.routes.by[p.provider]; d != nil && r.improvable(now, d, w) {
		r.improve(now, d, w, p.To.String())
	}
	p.attempts++
	r.seen.mark(mix(p.Key, hop.Attempt, hop.Nonce), p.TTL) // should it come back to us
	if p.Class == mesh.ClassFire {
		r.wakePubAt(p, p.Expires)
		r.do(Action{Op: OpSend, Local: true, Lane: p.Lane, Port: w.port.no, Tag: p.Tag, Hop: hop, Pub: p})
		return // Refused or Sent ends it
	}
	s := r.allot(now, w.port)
	s.pub, s.dest, s.sent, s.expires = p, p.provider, now.UnixNano(), p.Expires.UnixNano()
	s.ttl, s.hops, s.attempt, s.budget, s.lane = hop.TTL, hop.Hops, hop.Attempt, hop.Budget, p.Lane
	hop.Seq = s.seq
	p.tries = append(p.tries, try{attempt: hop.Attempt, port: w.port})
	r.do(Action{Op: OpSend, Local: true, Lane: p.Lane, Port: w.port.no, Tag: p.Tag, Hop: hop, Pub: p})
	at := now.Add(p.rto)
	if at.After(p.Expires) {
		at = p.Expires
	}
	r.wakePubAt(p, at)
}

// Sent tells that a fire publication was taken by the link.
func (r *Router) Sent(p *Pub) {
	if p.Class == mesh.ClassFire && !p.done {
		r.finish(p, Outcome{Status: mesh.StatusOK, Provider: p.provider})
	}
}

// allot takes a sequence number of a port; an entry pushed out goes home by
// route when its answer comes.
func (r *Router) allot(now time.Time, to *port) *slot {
	s, pushed := to.inflight.next()
	if pushed.seq != 0 && pushed.br != nil {
		r.settle(now, pushed.br, func(b *branch) { b.cut = true })
	}
	return s
}

// retry asks the same provider again, by another way when there is one.
func (r *Router) retry(now time.Time, p *Pub) {
	if p.done || p.probing != nil {
		return
	}
	p.last = mesh.StatusUnknown
	r.try(now, p)
}

// refuted closes the try that a negative answer proves to be without effect,
// and goes on to the next way or the next provider.
func (r *Router) refuted(now time.Time, p *Pub, attempt uint8, st mesh.Status, detail string, fromProvider bool) {
	if p.done {
		return
	}
	var via *port
	for i, t := range p.tries {
		if t.attempt == attempt {
			via = t.port
			p.tries = slices.Delete(p.tries, i, i+1)
			break
		}
	}
	p.last, p.detail = st, detail
	wayFailed := !fromProvider && (st == mesh.StatusNoRoute || st == mesh.StatusTTL || st == mesh.StatusNotSent || st == mesh.StatusDuplicate || st == mesh.StatusBusy)
	if wayFailed {
		if via != nil && st != mesh.StatusBusy {
			r.unlearn(p.provider, via)
		}
		if w := r.best(now, p.provider, p.TTL, nil, []*port{via}); w != nil && p.attempts <= mesh.FirstBudget {
			r.try(now, p)
			return
		}
		if p.To.Kind == mesh.KindService && len(p.tries) == 0 && st != mesh.StatusBusy && r.chooseOther(now, p) {
			r.try(now, p) // nothing was done: any other will do
			return
		}
		if st != mesh.StatusBusy && p.attempts <= 2*mesh.FirstBudget {
			r.startProbe(now, p) // a fresh way to the same provider
			return
		}
		if p.attempts > 2*mesh.FirstBudget { // ways are found and do not hold: not at this rate
			r.backoff(now, p)
			return
		}
	}
	if p.To.Kind == mesh.KindNode {
		if st == mesh.StatusBusy {
			r.backoff(now, p)
			return
		}
		r.finish(p, Outcome{Status: st, Provider: p.provider, Detail: detail})
		return
	}
	switch st {
	case mesh.StatusBusy:
		r.busy(now, p.To.Name, p.provider)
	case mesh.StatusNoProvider, mesh.StatusDraining, mesh.StatusIncapable: // its record is out of date
		r.Withdraw(p.provider, p.To.Name)
	default:
		r.bad(now, p.To.Name, p.provider)
	}
	r.nextProvider(now, p)
}

// nextProvider leaves the bound provider, if nothing may have been done there.
func (r *Router) nextProvider(now time.Time, p *Pub) {
	if len(p.tries) > 0 && !p.Failover {
		r.backoff(now, p) // ask the same one again, later
		return
	}
	p.excluded[p.provider] = true
	p.provider = ""
	r.resolve(now, p)
}

func (r *Router) backoff(now time.Time, p *Pub) {
	at := now.Add(p.rto / 4)
	p.rto = min(2*p.rto, r.cfg.RetryMax)
	if at.After(p.Expires) {
		at = p.Expires
	}
	r.wakePubAt(p, at)
}

// wakePub is called when a publication's time has come.
func (r *Router) wakePub(now time.Time, p *Pub) {
	switch {
	case p.done:
	case !now.Before(p.Expires):
		st := mesh.StatusTimeout
		if len(p.tries) == 0 && p.last.Negative() {
			st = p.last
		}
		r.bad(now, p.To.Name, p.provider)
		r.finish(p, Outcome{Status: st, Provider: p.provider, Detail: p.detail})
	case p.br != nil || p.provider == r.self:
		r.wakePubAt(p, p.Expires)
	case p.Failover && len(p.tries) > 1 && r.chooseOther(now, p):
		r.try(now, p)
	case p.provider == "":
		r.resolve(now, p)
	default:
		p.rto = min(2*p.rto, r.cfg.RetryMax)
		if p.silent++; p.silent > 1 {
			for i := range p.tries {
				p.tries[i].doubt = true
			}
		}
		r.retry(now, p)
	}
}

// doubt marks the way of a try whose outcome is unknown.
func (r *Router) doubt(p *Pub, attempt uint8) {
	for i := range p.tries {
		if p.tries[i].attempt == attempt {
			p.tries[i].doubt = true
		}
	}
}

// noProvider is called when a probe for the publication found nobody.
func (r *Router) noProvider(now time.Time, p *Pub) {
	switch {
	case len(p.tries) > 0 && (!p.Failover || p.provider == ""):
		if p.provider == "" { // nobody else: those asked before may be back
			r.includeAll(p)
		}
		r.backoff(now, p)
	case p.To.Kind == mesh.KindNode:
		r.finish(p, Outcome{Status: mesh.StatusNoRoute, Provider: p.provider})
	case p.provider != "":
		r.nextProvider(now, p)
	case p.last == mesh.StatusBusy && !p.NoWait:
		r.includeAll(p)
		r.backoff(now, p)
	case p.last.Negative():
		o := Outcome{Status: p.last, Detail: p.detail}
		if n := len(p.asked); n > 0 {
			o.Provider = p.asked[n-1]
		}
		r.finish(p, o)
	default:
		r.finish(p, Outcome{Status: mesh.StatusNoProvider})
	}
}

// chooseOther binds the publication to another provider, when one is known.
func (r *Router) chooseOther(now time.Time, p *Pub) bool {
	p.excluded[p.provider] = true
	c := r.choose(now, p)
	if c == nil {
		delete(p.excluded, p.provider)
		return false
	}
	p.provider = c.peer
	p.Among.take(c.peer, p)
	return true
}

// wakeRouteless lets publications that wait for a way try the new link.
func (r *Router) wakeRouteless(now time.Time) {
	for _, pr := range r.sortedProbes() {
		r.nextRing(now, pr, true)
	}
}

// includeAll forgets whom the publication has asked in vain.
func (r *Router) includeAll(p *Pub) {
	clear(p.excluded)
	for _, e := range p.Exclude {
		p.excluded[e] = true
	}
}

// spoke tells whether a provider's word counts for the publication.
func (p *Pub) spoke(provider peer.ID) bool {
	return p.Mode == mesh.ModeAll || slices.Contains(p.asked, provider)
}

// finish ends a publication.
func (r *Router) finish(p *Pub, o Outcome) {
	if p.done {
		return
	}
	p.done = true
	r.forgetPub(p)
	o.Final = true
	o.Attempts = p.attempts
	r.do(Action{Op: OpNews, Pub: p, Outcome: o})
}

func (r *Router) forgetPub(p *Pub) {
	if r.pubs[p.ID] == p {
		delete(r.pubs, p.ID)
	}
	r.unwake(p.wake)
	r.stopProbing(p)
	r.release(p)
}

// release takes the publication out of its provider's waiting count.
func (r *Router) release(p *Pub) {
	if p.counted != "" {
		r.took(p.To.Name, p.counted, -1)
		p.counted = ""
	}
}
