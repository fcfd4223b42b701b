package sim

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Sizes on the wire in bytes: a hop header and the length behind it, an
// envelope without payload, its proof, and what leads each answer.
const (
	headSize     = mesh.HopHeaderLen + 4
	envelopeSize = 160
	proofSize    = 64
	answerSize   = 16
	graftSize    = 24
)

func frameSize(m *msg) int64 { return headSize + envelopeSize + int64(m.size) + proofSize }

// probeLife is how long production's probes live.
const probeLife = 2 * time.Second

// do carries out one action, as servicerouting's perform does.
func (s *sim) do(i int32, a *router.Action) {
	r := s.nodes[i].r
	switch a.Op {
	case router.OpSend:
		m, local := a.Tag.(*msg)
		if !local {
			m = s.cur
		}
		s.sendFrame(i, a, m, local)
	case router.OpResend:
		var m *msg
		if old := s.endOf(i, a.OldPort); old != nobody {
			m = s.keptBy(old, a.OldSeq)
		}
		if m == nil {
			r.Refused(s.clock, a.Port, a.Hop.Seq, a.Pub, mesh.StatusNotSent)
			return
		}
		s.sendFrame(i, a, m, false)
	case router.OpAnswer:
		s.sendAnswer(i, a)
	case router.OpVerify:
		r.Verified(s.clock, a.Port, &s.frame)
	case router.OpDeliver:
		s.deliver(i, a)
	case router.OpCheck:
		s.check(i, a)
	case router.OpStray:
		s.stray(i, a)
	case router.OpProbe:
		s.probe(i, a)
	case router.OpNews:
		if m := a.Pub.Tag.(*msg); a.Outcome.Final && m.id() == a.Pub.ID && m.open {
			s.final(i, m, &a.Outcome)
		}
	case router.OpGraft:
		if e := s.endOf(i, a.Port); e != nobody {
			s.put(e, flight{carries: carriesGraft, msg: s.graftName(a.Service)}, graftSize, true)
			s.meter.answers += graftSize
		}
	}
}

func (s *sim) graftName(service string) int32 {
	if n, ok := s.nameNo[service]; ok && service != "" {
		return n
	}
	return nobody
}

// sendFrame queues a frame on a link.
func (s *sim) sendFrame(i int32, a *router.Action, m *msg, local bool) {
	r := s.nodes[i].r
	e := s.endOf(i, a.Port)
	if e == nobody || a.Pub != nil && m.id() != a.Pub.ID {
		r.Refused(s.clock, a.Port, a.Hop.Seq, a.Pub, mesh.StatusNotSent)
		return
	}
	h := &a.Hop
	f := flight{
		carries: carriesFrame, msg: m.index, bound: indexOf(h.Bound), flags: uint8(h.Flags), ttl: h.TTL, hops: h.Hops,
		attempt: h.Attempt, budget: h.Budget, priority: h.Priority, reach: h.Reach, nonce: h.Nonce, seq: h.Seq, back: h.Back,
	}
	if hostile := s.nodes[i].hostile; hostile > 0 && !s.attacks[hostile-1].leaves(s, i, e, &f) {
		return
	}
	if !s.cross(e, f, m, local) {
		r.Refused(s.clock, a.Port, a.Hop.Seq, a.Pub, mesh.StatusBusy)
		return
	}
	if local {
		if p := a.Pub; p != nil && p.Class == mesh.ClassFire && p.Mode == mesh.ModeOne {
			r.Sent(p)
		}
	} else if f.seq != 0 && h.Flags&(mesh.FlagFlood|mesh.FlagProbe) == 0 {
		s.keep(e, f.seq, m)
	}
}

// cross puts a frame on a link and counts it.
func (s *sim) cross(e int32, f flight, m *msg, local bool) bool {
	size := frameSize(m)
	if !s.put(e, f, size, local) {
		return false
	}
	switch {
	case m.typ == mesh.TypeProbe:
		s.meter.probes += size
		m.frames++
		s.meter.now(s.now).probeFrames++
		if m.cause != nobody {
			if c := s.msgs.at(m.cause); c.published() && c.number == m.number && len(c.ran) == 0 {
				c.frames++
			}
		}
	case m.published():
		s.meter.payload += size
		if m.crossings == 0 {
			m.left = s.now
		}
		m.crossings++
		if len(m.ran) == 0 {
			m.frames++
		}
		if f.hops >= m.ttl && m.why == "" {
			m.why = "it made more hops than its TTL"
		}
	case m.typ == mesh.TypeReceipt:
		s.meter.answers += size
	default:
		s.meter.payload += size
	}
	if s.traced(m) {
		s.trace("%s sends %s to %s (ttl %d, hops %d, attempt %d)", s.nodeName(s.ends[e].node), m.what(), s.nodeName(s.ends[e].peer), f.ttl, f.hops, f.attempt)
	}
	return true
}

func (s *sim) sendAnswer(i int32, a *router.Action) {
	e := s.endOf(i, a.Port)
	if e == nobody {
		return
	}
	f := flight{
		carries: carriesAnswer, msg: nobody, seq: a.Answer.Seq, status: a.Answer.Status, hops: a.Answer.Hops,
		flags: uint8(a.Answer.Flags), body: decode(a.Answer.Body),
	}
	if hostile := s.nodes[i].hostile; hostile > 0 && !s.attacks[hostile-1].leaves(s, i, e, &f) {
		return
	}
	size := answerSize + f.body.size()
	s.put(e, f, size, true)
	s.meter.answers += size
}

// receive gives what came by a link to the router behind it.
func (s *sim) receive(e int32, f *flight) {
	en := &s.ends[e]
	i, port := en.node, en.port
	if hostile := s.nodes[i].hostile; hostile > 0 && !s.attacks[hostile-1].comes(s, i, e, f) {
		return
	}
	switch f.carries {
	case carriesFrame:
		m := s.msgs.at(f.msg)
		s.cur = m
		s.fill(f, m)
		s.input(i).Frame(s.clock, port, &s.frame)
	case carriesAnswer:
		b := router.Back{Answer: mesh.Answer{Seq: f.seq, Status: f.status, Hops: f.hops, Flags: mesh.AnswerFlags(f.flags), Body: s.encode(&f.body)}}
		if f.status == mesh.StatusAble {
			if !s.openRecord(&f.body) {
				return
			}
			b.Record, b.Load = &s.record, f.body.load
		}
		s.input(i).Answer(s.clock, port, b)
	case carriesGraft:
		service := ""
		if f.msg != nobody {
			service = s.names[f.msg]
		}
		s.input(i).Graft(s.clock, port, service)
	}
	s.act(i)
}

// fill makes the router's view of a frame.
func (s *sim) fill(f *flight, m *msg) {
	s.frame.Hop.HopHeader = mesh.HopHeader{
		Flags: mesh.HopFlags(f.flags), TTL: f.ttl, Hops: f.hops, Attempt: f.attempt, Budget: f.budget,
		Priority: f.priority, Reach: f.reach, Nonce: f.nonce, Seq: f.seq, Back: f.back,
	}
	s.frame.Hop.BoundRaw = s.idBytes(f.bound)
	s.frame.View = mesh.View{
		ID: m.id(), Origin: s.idBytes(m.origin), Address: s.addrs[m.addr].text, Mode: m.mode, Class: m.class, Type: m.typ,
		Correlation: idOf(m.about), Created: m.created, Expires: m.expires, TTL: m.ttl,
	}
	s.frame.Key = m.key()
}

// check opens the receipt in an answer to a publication of this node.
func (s *sim) check(i int32, a *router.Action) {
	b := decode(a.Answer.Body)
	c := router.Checked{Status: mesh.StatusBadProof}
	if b.kind == bodyReceipt && idOf(b.n) == a.Pub.ID && s.peers[b.what] == a.Pub.Origin {
		c = s.checked(&b, a.Pub)
	} else if a.Pub.Mode == mesh.ModeOne {
		return // keep waiting for a true one
	}
	s.nodes[i].r.Checked(s.clock, a.Port, a.Pub, a.Answer, c)
}

func (s *sim) checked(b *body, p *router.Pub) router.Checked {
	return router.Checked{Status: b.status, Provider: s.peers[b.who], Load: b.load, Attributes: s.digestOf(b.who, p.To.Name)}
}

// stray sends a receipt, whose entry in the tables is gone, to its origin.
func (s *sim) stray(i int32, a *router.Action) {
	b := decode(a.Answer.Body)
	if b.kind != bodyReceipt {
		return
	}
	r := s.nodes[i].r
	if b.what == i {
		for _, x := range s.nodes[i].open {
			if m := s.msgs.at(x); m.no == b.n {
				r.Stray(s.clock, m.id(), 0, 0, s.checked(&b, &router.Pub{To: s.addrs[m.addr].Address}))
				return
			}
		}
		return
	}
	m := s.newMsg(i, s.nodeAddrOf(b.what), mesh.TypeReceipt, mesh.DefaultLifetime)
	m.about, m.word, m.size = b.n, b, receiptSize
	r.Send(s.clock, s.peers[b.what], m.key(), m)
	s.later(m)
}

// later releases a message when the node has acted: the actions that name it
// are still to come.
func (s *sim) later(m *msg) { s.held = append(s.held, m) }

// newMsg makes a message of this node to one place, of which no word comes.
func (s *sim) newMsg(i, addr int32, typ mesh.Type, life time.Duration) *msg {
	m := s.msgs.take()
	m.origin, m.addr, m.typ, m.mode, m.class, m.ttl = i, addr, typ, mesh.ModeOne, mesh.ClassFire, mesh.MaxTTL
	m.created, m.expires = mesh.TimeOf(s.clock), mesh.TimeOf(s.clock.Add(life))
	return m
}

// probe makes a probe's envelope.
func (s *sim) probe(i int32, a *router.Action) {
	m := s.newMsg(i, s.addrOf(a.Address), mesh.TypeProbe, probeLife)
	m.mode, m.ttl = mesh.ModeAll, a.TTL
	s.nodes[i].r.SendProbe(s.clock, a.Probe, m.key(), s.clock.Add(probeLife), m)
	s.later(m)
}

// blame finds the message that a probe was made for, when its node has acted:
// the first of that service that has not left. None has when the probe is one
// in the background.
func (s *sim) blame(i int32, probe *msg) {
	if probe.typ != mesh.TypeProbe || probe.origin != i {
		return
	}
	for _, x := range s.nodes[i].open {
		c := s.msgs.at(x)
		if c.mode == mesh.ModeOne && c.crossings == 0 && len(c.ran) == 0 && s.addrs[c.addr].name == s.addrs[probe.addr].name {
			probe.cause, probe.number = c.index, c.number
			c.probed = true
			c.frames += probe.frames
			return
		}
	}
}
