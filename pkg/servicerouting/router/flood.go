package router

import (
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// branch gathers the answers to the copies of a flood or a probe that this
// node sent on, so that one answer goes back when all have ended.
type branch struct {
	in      *port // where the answer goes; nil: this node
	inSeq   uint64
	pub     *Pub
	probe   *probe
	ring    uint64 // of a probe: the number of its ring
	origin  peer.ID
	addr    string
	flood   bool // not a probe: it prunes
	pending int
	found   int  // answers of providers in this branch
	cut     bool // the TTL, or a link, ended some copy: others may exist
	short   bool // some copy followed another search, which went less far
	done    bool
	expires time.Time
	search  searchKey
	ttl     uint8      // of a search: as sent on
	joined  []follower // those that wait for what this search finds
	named   []peer.ID  // of a search: providers whose word went back
}

// publishAll delivers to this node's handlers and floods.
func (r *Router) publishAll(now time.Time, p *Pub) {
	br := &branch{pub: p, flood: true, origin: r.self, addr: p.To.String(), expires: p.Expires, pending: 1}
	p.br = br
	r.seen.mark(mix(p.Key, 0, 0), p.TTL)
	r.stats.Floods++
	p.attempts = 1
	if r.serves(p.To) == mesh.StatusOK {
		br.pending++
		r.stats.Delivered++
		r.do(Action{Op: OpDeliver, Tag: p.Tag, Address: p.To, Pub: p, Token: Token{pub: p, br: br, Origin: r.self, fire: p.Class == mesh.ClassFire}})
	}
	r.spread(now, br, Action{Tag: p.Tag, Local: true, Lane: p.Lane, Pub: p, Hop: mesh.HopHeader{Flags: mesh.FlagFlood, TTL: p.TTL, Priority: p.Lane}}, nil)
	r.wakePubAt(p, p.Expires)
	r.settle(now, br, nil)
}

// Verified goes on with a flood or a probe whose proof is good.
func (r *Router) Verified(now time.Time, from Port, f *Frame) {
	in := r.byPort[from]
	if in == nil {
		return
	}
	key := mix(f.Key, f.Hop.Attempt, f.Hop.Nonce)
	before := r.seen.get(key)
	if before >= f.Hop.TTL { // another copy was quicker
		r.duplicateFlood(in, f)
		return
	}
	r.seen.mark(key, f.Hop.TTL)
	origin, addr := peer.ID(f.View.Origin), string(f.View.Address)
	r.learnSeen(now, in, f)
	br := &branch{in: in, inSeq: f.Hop.Seq, origin: origin, addr: addr, expires: f.View.Expires.Std(), pending: 1}
	probe := f.Hop.Flags&mesh.FlagProbe != 0
	bound := peer.ID(f.Hop.BoundRaw)
	if probe {
		br.search = searchKey{addr, bound, f.Hop.Reach > 0}
	}
	fire := f.View.Class == mesh.ClassFire
	if !probe {
		// A copy that only carries more TTL is not heard by those who handled the
		// first one: that it finds nobody proves nothing.
		br.cut = before > 0
		br.flood = true
		r.stats.Floods++
		r.setParent(br, f.Hop.TTL)
	}
	named := 0
	if before == 0 && (bound == "" || bound == r.self) {
		if a, err := mesh.ParseAddress(addr); err == nil && r.serves(a) == mesh.StatusOK {
			br.pending++
			r.stats.Delivered++
			r.do(Action{Op: OpDeliver, Port: from, Ref: f.Ref, Address: a, Token: Token{
				in: in, seq: f.Hop.Seq, br: br, Origin: origin, fire: fire && !probe, hops: f.Hop.Hops + 1, Hop: f.Hop.HopHeader, From: from,
			}})
		}
	}
	if probe && before == 0 && br.pending == 1 && bound != r.self {
		named = r.name(now, br, f, bound)
	}
	switch {
	case bound == r.self, named > 0:
	case f.Hop.TTL > 1 && probe && br.pending == 1 && r.join(br, f.Hop.TTL-1):
		return
	case f.Hop.TTL > 1:
		hop := f.Hop.HopHeader
		hop.TTL--
		hop.Hops++
		hop.Bound = bound
		r.spread(now, br, Action{Ref: f.Ref, Lane: lane(hop.Priority), Hop: hop}, in)
	default:
		br.cut = br.cut || len(r.ports) > 1
	}
	r.settle(now, br, nil)
}

// spread sends a copy to every neighbour but in, and those that pruned.
func (r *Router) spread(now time.Time, br *branch, a Action, in *port) {
	a.Op = OpSend
	last := a.Hop.TTL == 1 && a.Hop.Flags&mesh.FlagProbe != 0
	for _, to := range r.ports {
		if to == in {
			continue
		}
		if last && a.Hop.Bound != "" && to.peer != a.Hop.Bound {
			br.cut = true // only that node could answer, and it is not there
			continue
		}
		if br.flood && r.prunes.has(now, r.cfg.PruneTTL, br.addr, br.origin, in, to) {
			r.stats.Pruned++
			continue
		}
		s := r.allot(now, to)
		s.br, s.in, s.sent, s.expires = br, in, now.UnixNano(), br.expires.UnixNano()
		br.pending++
		a.Port, a.Hop.Seq = to.no, s.seq
		r.do(a)
		r.stats.Forwarded++
	}
}

// duplicateFlood answers a copy that says nothing new. The neighbour by which
// this origin's floods usually come first is never told to stop.
func (r *Router) duplicateFlood(in *port, f *Frame) {
	r.stats.Duplicates++
	a := mesh.Answer{Seq: f.Hop.Seq, Status: mesh.StatusDuplicate}
	if f.Hop.Flags&mesh.FlagFlood != 0 && !r.prunes.isParent(string(f.View.Address), peer.ID(f.View.Origin), in) {
		a.Flags |= mesh.AnswerPrune
		r.prunes.said(string(f.View.Address), peer.ID(f.View.Origin), in)
	}
	r.answer(in, a)
}

// settle ends one pending part of a branch; when it was the last, the branch
// answers. The change, if any, is made first.
func (r *Router) settle(now time.Time, br *branch, change func(*branch)) {
	if change != nil {
		change(br)
	}
	br.pending--
	if br.pending > 0 || br.done {
		return
	}
	br.done = true
	r.searched(br)
	switch {
	case br.probe != nil:
		r.probeBranchDone(now, br.probe, br)
	case br.pub != nil:
		r.allDone(br.pub)
	case br.in.closed:
	default:
		a := br.verdict()
		if br.flood && r.prunes.spare(br, a.Status == mesh.StatusNoProvider) {
			a.Flags |= mesh.AnswerPrune
			r.prunes.said(br.addr, br.origin, br.in)
		}
		a.Seq = br.inSeq
		r.answer(br.in, a)
	}
}

// verdict is the last answer of a branch.
func (br *branch) verdict() mesh.Answer {
	switch {
	case br.found > 0:
		return mesh.Answer{Status: mesh.StatusBranchDone, Body: binary.BigEndian.AppendUint32(nil, uint32(br.found))}
	case br.short:
		return mesh.Answer{Status: mesh.StatusTTL, Flags: mesh.AnswerShort}
	case br.cut:
		return mesh.Answer{Status: mesh.StatusTTL}
	}
	return mesh.Answer{Status: mesh.StatusNoProvider}
}

// allDone ends a publication to all once every branch has ended and every
// answer announced is there. Answers may be behind, on another lane.
func (r *Router) allDone(p *Pub) {
	if p.br.pending > 0 || p.got < p.br.found {
		return
	}
	o := Outcome{Status: mesh.StatusOK}
	if p.br.found == 0 {
		o.Status = mesh.StatusNoProvider
	}
	r.finish(p, o)
}

func lane(priority uint8) uint8 {
	if priority == 2 {
		return 2
	}
	return 3
}
