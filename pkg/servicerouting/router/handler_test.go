package router

import (
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// A body says who the provider is, the outcome, and the message or service.
func body(id mesh.ID, provider peer.ID, st mesh.Status, origin peer.ID, service string) []byte {
	b := append([]byte{}, id[:]...)
	b = append(b, provider...)
	b = binary.BigEndian.AppendUint16(b, uint16(st))
	b = append(b, origin...)
	return append(b, service...)
}

func openBody(b []byte) Checked {
	if len(b) < 16+38+2+38 {
		return Checked{Status: mesh.StatusBadProof}
	}
	return Checked{Provider: peer.ID(b[16:54]), Status: mesh.Status(binary.BigEndian.Uint16(b[54:])), Detail: string(b[56+38:])}
}

func (s *simNode) deliver(a Action) {
	n := s.net
	m, _ := a.Tag.(*msg)
	if m == nil {
		m = frameMsgs[a.Ref]
	}
	if m.bad {
		n.log("%s: bad proof", s.name)
		return
	}
	switch m.view.Type {
	case mesh.TypeReply:
		p := a.Pub
		if p != nil {
			s.r.Replied(n.now, p, a.Port, a.Token.hops, Checked{Status: mesh.StatusOK, Provider: peer.ID(m.view.Origin)})
		}
		return
	case mesh.TypeReceipt:
		c := openBody(strayBodies[m.id])
		s.r.Stray(n.now, m.correlation, a.Port, a.Token.hops, c)
		return
	case mesh.TypeProbe:
		s.r.Answered(n.now, a.Token, mesh.StatusAble, body(m.id, s.id, mesh.StatusAble, a.Token.Origin, a.Address.Name), Checked{})
		return
	}
	if st, again := s.done[m.id]; again {
		if st == mesh.StatusWorking {
			s.r.Answered(n.now, a.Token, mesh.StatusWorking, nil, Checked{})
		} else {
			s.answered(a, m, st)
		}
		return
	}
	if s.say.Negative() {
		s.answered(a, m, s.say)
		return
	}
	s.done[m.id] = mesh.StatusWorking
	n.effects[m.id] = append(n.effects[m.id], s.id)
	n.log("%s: handled", s.name)
	n.after(s.slow, func() {
		if s.down {
			return
		}
		s.done[m.id] = s.say
		s.answered(a, m, s.say)
		s.act()
	})
}

func (s *simNode) answered(a Action, m *msg, st mesh.Status) {
	if m.view.Type == mesh.TypeRequest && st == mesh.StatusOK && a.Token.pub == nil {
		rm := s.net.newMsg(s.id, mesh.Node(a.Token.Origin), mesh.ModeOne, mesh.ClassFire, mesh.TypeReply, mesh.MaxTTL, time.Minute)
		rm.view.Correlation = m.id
		s.r.Reply(s.net.now, a.Token, rm.key, rm)
		return
	}
	s.r.Answered(s.net.now, a.Token, st, body(m.id, s.id, st, a.Token.Origin, ""), Checked{})
}

var strayBodies = map[mesh.ID][]byte{}

func (s *simNode) stray(b []byte) {
	if len(b) < 94 {
		return
	}
	origin := peer.ID(b[56:94])
	m := s.net.newMsg(s.id, mesh.Node(origin), mesh.ModeOne, mesh.ClassFire, mesh.TypeReceipt, mesh.MaxTTL, time.Minute)
	m.view.Correlation = mesh.ID(b[:16])
	m.correlation = mesh.ID(b[:16])
	strayBodies[m.id] = b
	if origin == s.id {
		s.r.Stray(s.net.now, m.correlation, 0, 0, openBody(b))
		return
	}
	s.r.Send(s.net.now, origin, m.key, m)
}

type result struct {
	Outcome
	all  []Outcome
	at   time.Duration // since the publication
	done bool
}

// publish starts a publication and gives where its result will be.
func (n *network) publish(from, to string, opt func(*Pub)) (*result, mesh.ID) {
	s := n.node(from)
	addr, err := mesh.ParseAddress(to)
	if err != nil {
		panic(err)
	}
	p := &Pub{To: addr, Mode: mesh.ModeOne, Class: mesh.ClassConfirm, TTL: mesh.MaxTTL, Expires: n.now.Add(30 * time.Second), Lane: 3}
	if opt != nil {
		opt(p)
	}
	typ := mesh.TypeData
	if p.Request {
		typ = mesh.TypeRequest
	}
	m := n.newMsg(s.id, addr, p.Mode, p.Class, typ, p.TTL, p.Expires.Sub(n.now))
	p.ID, p.Key, p.Tag = m.id, m.key, m
	res := &result{}
	start := n.now
	news[p] = func(o Outcome) {
		if o.Final {
			res.Outcome, res.done, res.at = o, true, n.now.Sub(start)
		} else {
			res.all = append(res.all, o)
		}
	}
	s.r.Publish(n.now, p)
	s.act()
	return res, m.id
}
