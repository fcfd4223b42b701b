package router

import (
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Back is an answer that came by a link. Of a probe's answer, the caller has
// checked the record and gives it.
type Back struct {
	mesh.Answer
	Record *mesh.Record
	Load   uint8
}

// Answer decides on an answer that came by a link.
func (r *Router) Answer(now time.Time, from Port, b Back) {
	in := r.byPort[from]
	if in == nil {
		return
	}
	s := in.inflight.get(b.Seq)
	switch {
	case s == nil:
		if len(b.Body) > 0 {
			r.stats.Stray++
			r.do(Action{Op: OpStray, Port: from, Answer: b.Answer})
		}
	case s.br != nil:
		r.branchAnswer(now, in, s, b)
	case s.pub != nil:
		if len(b.Body) > 0 {
			r.do(Action{Op: OpCheck, Port: from, Pub: s.pub, Answer: b.Answer})
			return
		}
		r.own(now, in, s, b.Answer, Checked{Status: b.Status})
	default:
		r.relayed(now, in, s, b.Answer)
	}
}

// relayed passes an answer on along the way its frame came, or takes the next
// way when nothing was done by this one.
func (r *Router) relayed(now time.Time, in *port, s *slot, a mesh.Answer) {
	if a.Status.Negative() && len(a.Body) == 0 && r.reroute(now, in, s, a.Status) {
		return
	}
	switch {
	case a.Status.Final():
		if a.Status == mesh.StatusOK || a.Status/100 == 3 {
			r.learnProven(now, s, in, a.Hops+1)
		}
	case a.Status == mesh.StatusNoRoute || a.Status == mesh.StatusTTL:
		r.unlearn(s.dest, in)
	}
	to, seq := s.in, s.inSeq
	if a.Flags&mesh.AnswerMore == 0 {
		in.inflight.drop(s)
	}
	a.Seq = seq
	a.Hops++
	if to.closed {
		if len(a.Body) > 0 {
			r.stats.Stray++
			r.do(Action{Op: OpStray, Answer: a})
		}
		return
	}
	r.answer(to, a)
}

// learnProven learns the way that an answer came by. Of a stream of answers
// from one provider, one in a while says it all.
func (r *Router) learnProven(now time.Time, s *slot, in *port, hops uint8) {
	if in.lastProven == s.dest && in.provenHops == hops && now.Sub(in.provenAt) < 50*time.Millisecond {
		return
	}
	in.lastProven, in.provenHops, in.provenAt = s.dest, hops, now
	r.learn(now, s.dest, in, hops, proven, since(now, s.sent))
}

// reroute sends the frame of a slot by its next way, with a new nonce.
func (r *Router) reroute(now time.Time, in *port, s *slot, why mesh.Status) bool {
	if why != mesh.StatusBusy && why != mesh.StatusNotSent {
		r.unlearn(s.dest, in)
	}
	if s.budget == 0 || why == mesh.StatusNoProvider || why == mesh.StatusDraining || why == mesh.StatusIncapable {
		return false
	}
	tried := []*port{in}
	if s.tried != nil {
		tried = append(tried, *s.tried...)
	}
	w := r.best(now, s.dest, s.ttl, s.in, tried)
	if w == nil {
		return false
	}
	old := *s
	in.inflight.drop(s)
	n := r.allot(now, w.port)
	seq := n.seq
	*n = old
	n.seq, n.sent, n.tried, n.doubted = seq, now.UnixNano(), &tried, false
	n.budget--
	n.nonce = r.rand.Uint32() | 1
	r.seen.mark(mix(n.key, n.attempt, n.nonce), n.ttl) // should it come back to us
	r.stats.Rerouted++
	r.do(Action{Op: OpResend, Port: w.port.no, OldPort: in.no, OldSeq: old.seq, Lane: n.lane, Hop: mesh.HopHeader{
		Flags: mesh.HopFlags(n.flags), TTL: n.ttl, Hops: n.hops, Attempt: n.attempt, Budget: n.budget,
		Priority: n.lane, Nonce: n.nonce, Seq: seq, Bound: n.dest,
	}})
	return true
}

// Refused tells that a link did not take a frame, or ended before it was
// written: nothing was done by this way.
func (r *Router) Refused(now time.Time, no Port, seq uint64, p *Pub, st mesh.Status) {
	if seq == 0 {
		if p != nil && !p.done {
			r.finish(p, Outcome{Status: st})
		}
		return
	}
	in := r.byPort[no]
	if in == nil {
		return // LinkDown has told everybody
	}
	s := in.inflight.get(seq)
	switch {
	case s == nil:
	case s.br != nil:
		br := s.br
		in.inflight.drop(s)
		r.settle(now, br, func(b *branch) { b.cut = true })
	case s.pub != nil:
		p, attempt := s.pub, s.attempt
		in.inflight.drop(s)
		r.refuted(now, p, attempt, st, "", false)
	default:
		r.relayed(now, in, s, mesh.Answer{Seq: seq, Status: st})
	}
}

// Checked is what the caller found in the body of an answer.
type Checked struct {
	Status   mesh.Status
	Provider peer.ID
	Load     uint8
	// Attributes is the digest of the provider's attributes, 0 when it does
	// not say.
	Attributes uint64
	Detail     string
	Body       any // given back in Outcome
}

// Checked goes on with an answer after OpCheck, when its body is good: a
// receipt that speaks about this publication, signed by the provider that it
// was bound to.
func (r *Router) Checked(now time.Time, from Port, p *Pub, a mesh.Answer, c Checked) {
	in := r.byPort[from]
	if in == nil || p.done || c.Provider != "" && !p.spoke(c.Provider) {
		return
	}
	s := in.inflight.get(a.Seq)
	switch {
	case p.br != nil:
		r.allAnswer(now, p, in, a.Hops+1, now.Sub(p.firstAt), c)
	case s != nil && s.pub == p:
		r.own(now, in, s, a, c)
	case c.Status.Final() && c.Provider != "": // its entry was pushed out meanwhile
		r.complete(now, p, in, a.Hops+1, 0, c)
	}
}

// own handles an answer to a publication of this node.
func (r *Router) own(now time.Time, in *port, s *slot, a mesh.Answer, c Checked) {
	p, attempt, rtt := s.pub, s.attempt, since(now, s.sent)
	if a.Flags&mesh.AnswerMore == 0 {
		in.inflight.drop(s)
	}
	if p.done {
		return
	}
	st := c.Status
	switch {
	case st == mesh.StatusWorking:
		p.silent = 0
		p.rto = min(2*p.rto, r.cfg.RetryMax)
		at := now.Add(p.rto)
		if at.After(p.Expires) {
			at = p.Expires
		}
		r.wakePubAt(p, at)
	case st == mesh.StatusUnknown:
		r.doubt(p, attempt)
		r.retry(now, p)
	case st.Negative():
		r.refuted(now, p, attempt, st, c.Detail, c.Provider != "")
	case st == mesh.StatusOK && c.Provider == "", st/100 == 3 && c.Provider == "":
		// Success without a word of the provider proves nothing.
	case st/100 == 4 && c.Provider == "" && len(p.tries) > 1:
		r.retry(now, p)
	default:
		r.complete(now, p, in, a.Hops+1, rtt, c)
	}
}

func (r *Router) complete(now time.Time, p *Pub, in *port, hops uint8, rtt time.Duration, c Checked) {
	if in != nil && c.Provider != "" {
		r.learn(now, c.Provider, in, hops, proven, rtt)
		if c.Status == mesh.StatusOK {
			r.good(now, p.To.Name, rtt, c)
		} else {
			r.bad(now, p.To.Name, c.Provider)
		}
	}
	r.finish(p, Outcome{Status: c.Status, Provider: c.Provider, Hops: hops, RTT: now.Sub(p.firstAt), Detail: c.Detail, Body: c.Body})
}

// Stray ends a publication of this node by a receipt that came as a message.
func (r *Router) Stray(now time.Time, id mesh.ID, from Port, hops uint8, c Checked) {
	p := r.pubs[id]
	if p == nil || p.done || !p.spoke(c.Provider) {
		return
	}
	if p.br != nil {
		r.allAnswer(now, p, nil, hops, now.Sub(p.firstAt), c)
		return
	}
	if c.Status.Final() {
		r.complete(now, p, nil, hops, 0, c)
	}
}

// Replied ends a request of this node by a reply, whose proof is good.
func (r *Router) Replied(now time.Time, p *Pub, from Port, hops uint8, c Checked) {
	if p == nil || p.done || !p.spoke(c.Provider) {
		return
	}
	in := r.byPort[from]
	if p.br != nil {
		r.allAnswer(now, p, in, hops, now.Sub(p.firstAt), c)
		return
	}
	r.complete(now, p, in, hops, now.Sub(p.firstAt), c)
}

// Answered gives the handler's outcome for a delivery: Status, and the sealed
// receipt or probe answer as body. detail and local are for a publication of
// this node itself.
func (r *Router) Answered(now time.Time, t Token, st mesh.Status, body []byte, local Checked) {
	if p := t.pub; p != nil {
		local.Status, local.Provider = st, r.self
		if t.br != nil {
			r.allAnswer(now, p, nil, 0, now.Sub(p.firstAt), local)
			r.settle(now, t.br, func(b *branch) { b.found++ })
			return
		}
		if st.Negative() {
			r.refuted(now, p, 0, st, local.Detail, true)
		} else if !p.done {
			r.finish(p, Outcome{Status: st, Provider: r.self, RTT: now.Sub(p.firstAt), Detail: local.Detail, Body: local.Body})
		}
		return
	}
	a := mesh.Answer{Seq: t.seq, Status: st, Body: body}
	if t.br != nil {
		a.Flags |= mesh.AnswerMore
	}
	switch {
	case t.in == nil, t.fire:
	case t.in.closed:
		if len(body) > 0 {
			r.do(Action{Op: OpStray, Answer: a})
		}
	case t.seq != 0:
		if st == mesh.StatusWorking {
			a.Flags |= mesh.AnswerMore
		}
		r.answer(t.in, a)
	}
	if t.br != nil && st != mesh.StatusWorking {
		r.settle(now, t.br, func(b *branch) {
			if st == mesh.StatusAble || !t.fire {
				b.found++
			} else {
				b.cut = true // somebody is here, but nobody waits for a word
			}
		})
	}
}

// Reply sends a reply, made by the caller, back the way its request came.
func (r *Router) Reply(now time.Time, t Token, key Key, tag any) {
	r.seen.mark(mix(key, 0, 0), mesh.MaxTTL)
	hop := mesh.HopHeader{TTL: mesh.MaxTTL, Priority: 2, Back: t.seq, Bound: t.Origin}
	switch {
	case t.in != nil && !t.in.closed:
		r.do(Action{Op: OpSend, Local: true, Lane: 2, Port: t.in.no, Tag: tag, Hop: hop})
	default:
		if w := r.best(now, t.Origin, mesh.MaxTTL, nil, nil); w != nil {
			hop.Back = 0
			r.do(Action{Op: OpSend, Local: true, Lane: 2, Port: w.port.no, Tag: tag, Hop: hop})
		} else {
			r.stats.NoRoute++
		}
	}
	if t.br != nil {
		r.settle(now, t.br, func(b *branch) { b.found++ })
	}
}

// Send sends a message of this node to a node, once, with no answer awaited:
// a receipt that lost its table.
func (r *Router) Send(now time.Time, to peer.ID, key Key, tag any) {
	w := r.best(now, to, mesh.MaxTTL, nil, nil)
	if w == nil {
		r.stats.NoRoute++
		return
	}
	r.seen.mark(mix(key, 0, 0), mesh.MaxTTL)
	r.do(Action{Op: OpSend, Local: true, Lane: 3, Port: w.port.no, Tag: tag, Hop: mesh.HopHeader{TTL: mesh.MaxTTL, Priority: 3, Bound: to}})
}

// branchAnswer handles an answer to a copy of a flood or a probe.
func (r *Router) branchAnswer(now time.Time, in *port, s *slot, b Back) {
	br := s.br
	if b.Status == mesh.StatusAble && b.Record != nil {
		r.know(now, b.Record, b.Load, b.Body)
		r.learn(now, b.Record.Provider, in, b.Hops+1, offered, 0)
	}
	if b.Flags&mesh.AnswerMore != 0 || b.Status == mesh.StatusAble {
		r.branchWord(now, in, s, b)
		return
	}
	in.inflight.drop(s)
	prune := b.Flags&mesh.AnswerPrune != 0 && br.flood
	if prune {
		r.addPrune(now, br, in)
	}
	r.settle(now, br, func(br *branch) {
		br.short = br.short || b.Flags&mesh.AnswerShort != 0
		switch {
		case b.Status == mesh.StatusBranchDone && len(b.Body) == 4:
			br.found += int(min(binary.BigEndian.Uint32(b.Body), 1<<16))
		case b.Status == mesh.StatusDuplicate && br.flood && !prune:
			br.cut = true // it hears this origin from here: do not let go of it
		case b.Status != mesh.StatusNoProvider && b.Status != mesh.StatusDuplicate:
			br.cut = true
		}
	})
}

// branchWord passes a provider's word on towards the origin of a flood.
func (r *Router) branchWord(now time.Time, in *port, s *slot, b Back) {
	br := s.br
	news := b.Record == nil || br.news(b.Record.Provider)
	if !news && br.probe == nil { // its origin may yet have use for a shorter way
		return
	}
	if news && len(br.joined) > 0 && b.Status == mesh.StatusAble {
		r.told(br, in, b.Answer, b.Hops+1)
	}
	switch {
	case br.probe != nil:
		if b.Record != nil && (b.Record.Service == NodeService || b.Record.Service == br.probe.addr.Name) {
			r.probeFound(now, br.probe, b.Record.Provider)
		}
	case br.pub != nil && len(b.Body) > 0:
		r.do(Action{Op: OpCheck, Port: in.no, Pub: br.pub, Answer: b.Answer})
	case br.pub != nil: // a refusal is not signed
		r.allAnswer(now, br.pub, in, b.Hops+1, since(now, s.sent), Checked{Status: b.Status})
	case br.in.closed:
		if len(b.Body) > 0 && b.Status != mesh.StatusAble {
			r.do(Action{Op: OpStray, Answer: b.Answer})
		}
	default:
		a := b.Answer
		a.Seq, a.Flags = br.inSeq, a.Flags|mesh.AnswerMore
		a.Hops++
		r.answer(br.in, a)
	}
}

// allAnswer counts one provider's answer to a publication to all.
func (r *Router) allAnswer(now time.Time, p *Pub, in *port, hops uint8, rtt time.Duration, c Checked) {
	if p.done || c.Status == mesh.StatusWorking || p.answered[c.Provider] {
		return
	}
	if c.Provider != "" {
		if p.answered == nil {
			p.answered = make(map[peer.ID]bool)
		}
		p.answered[c.Provider] = true
		if in != nil {
			r.learn(now, c.Provider, in, hops, proven, rtt)
		}
	}
	p.got++
	r.do(Action{Op: OpNews, Pub: p, Outcome: Outcome{Status: c.Status, Provider: c.Provider, Hops: hops, RTT: rtt, Detail: c.Detail, Body: c.Body, Attempts: 1}})
	r.allDone(p)
}
