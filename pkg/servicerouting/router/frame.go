package router

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Frame decides on a frame that came by a link.
func (r *Router) Frame(now time.Time, from Port, f *Frame) {
	in := r.byPort[from]
	if in == nil {
		return
	}
	h := &f.Hop
	if h.TTL == 0 || h.TTL > mesh.MaxTTL || h.Hops >= mesh.MaxTTL || h.TTL+h.Hops > f.View.TTL {
		r.stats.Malformed++
		r.refuse(in, f, mesh.StatusMalformed)
		return
	}
	if f.View.Network != r.cfg.Network && r.cfg.Network != (mesh.Network{}) {
		r.refuse(in, f, mesh.StatusWrongNetwork)
		return
	}
	if !consistent(f) {
		r.stats.Malformed++
		r.refuse(in, f, mesh.StatusMalformed)
		return
	}
	tolerance := mesh.ClockTolerance.Milliseconds()
	if ms := now.UnixMilli(); int64(f.View.Expires)+tolerance < ms {
		r.stats.Expired++
		r.refuse(in, f, mesh.StatusExpired)
		return
	} else if int64(f.View.Created)-ms > tolerance {
		r.stats.Expired++
		r.refuse(in, f, mesh.StatusClockSkew)
		return
	}
	key := mix(f.Key, h.Attempt, h.Nonce)
	if h.Flags&(mesh.FlagFlood|mesh.FlagProbe) != 0 {
		if r.seen.get(key) >= h.TTL {
			r.duplicateFlood(in, f)
			return
		}
		r.do(Action{Op: OpVerify, Port: from, Ref: f.Ref})
		return
	}
	if r.seen.first(key, h.TTL) > 0 {
		r.stats.Duplicates++
		r.refuse(in, f, mesh.StatusDuplicate)
		return
	}
	r.learnSeen(now, in, f)
	if h.Back != 0 && f.View.Type == mesh.TypeReply && r.homeward(now, in, f) {
		return
	}
	if string(h.BoundRaw) == string(r.self) {
		r.arrived(in, f)
		return
	}
	r.forward(now, in, f)
}

// consistent tells whether the hop header, which is nobody's word, fits the
// envelope, which is its origin's: a header must not turn a message to one
// into a flood, or data into a probe.
func consistent(f *Frame) bool {
	flood, probe := f.Hop.Flags&mesh.FlagFlood != 0, f.Hop.Flags&mesh.FlagProbe != 0
	switch f.View.Type {
	case mesh.TypeProbe:
		return probe && !flood
	case mesh.TypeData, mesh.TypeRequest:
		all := f.View.Mode == mesh.ModeAll && f.Hop.Flags&mesh.FlagForwarded == 0
		return !probe && flood == all
	case mesh.TypeReply, mesh.TypeReceipt:
		return !probe && !flood
	}
	return false
}

// refuse answers a frame, unless nobody waits for an answer.
func (r *Router) refuse(in *port, f *Frame, st mesh.Status) {
	if f.Hop.Seq != 0 {
		r.answer(in, mesh.Answer{Seq: f.Hop.Seq, Status: st})
	}
}

// homeward sends a reply along the way that its request took.
func (r *Router) homeward(now time.Time, in *port, f *Frame) bool {
	s := in.inflight.get(f.Hop.Back)
	if s == nil {
		return false
	}
	if s.dest != "" && string(f.View.Origin) == string(s.dest) {
		r.learn(now, s.dest, in, f.Hop.Hops+1, proven, since(now, s.sent))
	}
	mine := s.pub
	if mine == nil && s.br != nil && s.in == nil {
		mine = s.br.pub
	}
	to, seq := s.in, s.inSeq
	if s.br != nil {
		to, seq = s.br.in, s.br.inSeq
	} else {
		in.inflight.drop(s)
	}
	switch {
	case mine != nil:
		r.do(Action{Op: OpDeliver, Port: in.no, Ref: f.Ref, Pub: mine, Token: Token{Origin: peer.ID(f.View.Origin), hops: f.Hop.Hops + 1, From: in.no}})
	case to == nil || to.closed || f.Hop.TTL == 1:
		return false
	default:
		r.pass(f, to, seq, 0)
	}
	return true
}

// pass sends a frame on by a port, one hop further.
func (r *Router) pass(f *Frame, to *port, back, seq uint64) {
	hop := f.Hop.HopHeader
	hop.TTL--
	hop.Hops++
	hop.Back, hop.Seq = back, seq
	hop.Bound = r.intern(f.Hop.BoundRaw)
	r.stats.Forwarded++
	r.do(Action{Op: OpSend, Port: to.no, Ref: f.Ref, Lane: lane(hop.Priority), Hop: hop})
}

// intern gives the peer ID of raw bytes, without allocation when a route to
// it is known.
func (r *Router) intern(raw []byte) peer.ID {
	if d := r.routes.by[peer.ID(raw)]; d != nil {
		return d.node
	}
	return peer.ID(raw)
}

// arrived handles a frame bound to this node.
func (r *Router) arrived(in *port, f *Frame) {
	t := Token{
		in: in, seq: f.Hop.Seq, Origin: peer.ID(f.View.Origin), fire: f.View.Class == mesh.ClassFire,
		hops: f.Hop.Hops + 1, Hop: f.Hop.HopHeader, From: in.no,
	}
	if f.View.Type == mesh.TypeReply || f.View.Type == mesh.TypeReceipt {
		r.do(Action{Op: OpDeliver, Port: in.no, Ref: f.Ref, Token: t, Pub: r.pubs[f.View.Correlation]})
		return
	}
	a, err := mesh.ParseAddress(string(f.View.Address))
	if err != nil {
		r.refuse(in, f, mesh.StatusMalformed)
		return
	}
	if st := r.serves(a); st != mesh.StatusOK {
		r.refuse(in, f, st)
		return
	}
	r.stats.Delivered++
	r.do(Action{Op: OpDeliver, Port: in.no, Ref: f.Ref, Address: a, Token: t})
}

// forward sends a frame towards its bound provider.
func (r *Router) forward(now time.Time, in *port, f *Frame) {
	if len(f.Hop.BoundRaw) == 0 {
		r.stats.Malformed++
		r.refuse(in, f, mesh.StatusMalformed)
		return
	}
	if f.Hop.TTL == 1 {
		r.refuse(in, f, mesh.StatusTTL)
		return
	}
	var w *way
	d := r.routes.by[peer.ID(f.Hop.BoundRaw)]
	if d != nil {
		w = r.bestOf(now, d, f.Hop.TTL-1, in, nil)
	}
	if w == nil {
		r.stats.NoRoute++
		r.refuse(in, f, mesh.StatusNoRoute)
		return
	}
	if (f.View.Type == mesh.TypeData || f.View.Type == mesh.TypeRequest) && r.improvable(now, d, w) {
		r.improve(now, d, w, string(f.View.Address))
	}
	if f.Hop.Seq == 0 || f.View.Class == mesh.ClassFire { // nobody waits for an answer
		r.pass(f, w.port, 0, 0)
		return
	}
	s := r.allot(now, w.port)
	s.in, s.inSeq, s.dest, s.sent = in, f.Hop.Seq, d.node, now.UnixNano()
	s.expires, s.key = f.View.Expires.Std().UnixNano(), f.Key
	s.ttl, s.hops, s.attempt, s.budget = f.Hop.TTL-1, f.Hop.Hops+1, f.Hop.Attempt, f.Hop.Budget
	s.nonce, s.lane, s.flags = f.Hop.Nonce, lane(f.Hop.Priority), uint8(f.Hop.Flags)
	r.pass(f, w.port, 0, s.seq)
}

// learnSeen learns the way back to a frame's origin: only hearsay, since a
// relay checks no signature.
func (r *Router) learnSeen(now time.Time, in *port, f *Frame) {
	hops := f.Hop.Hops + 1
	if string(f.View.Origin) == string(in.lastOrigin) && hops == in.lastHops && now.Sub(in.lastLearn) < time.Second {
		return
	}
	// In a large mesh most origins of what passes by are never of interest here:
	// those near by are kept, and those that this node has an answer for.
	// Probes come from everywhere: of theirs a quarter is room enough.
	room := r.cfg.FarRoutes
	if f.Hop.Flags&mesh.FlagProbe != 0 {
		room /= 4
	}
	if hops > 2 && len(r.routes.list) >= room && string(f.Hop.BoundRaw) != string(r.self) && r.routes.by[peer.ID(f.View.Origin)] == nil {
		return
	}
	in.lastOrigin, in.lastHops, in.lastLearn = r.intern(f.View.Origin), hops, now
	r.learn(now, in.lastOrigin, in, hops, heard, 0)
}
