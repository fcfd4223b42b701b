package sim

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// effect notes that a handler runs.
func (s *sim) effect(m *msg, b *job) {
	v := &s.servers[b.server]
	n := &s.nodes[v.node]
	if len(m.ran) == 0 {
		m.arrived, m.hops = s.now, int32(b.token.HopCount())
		if m.mode == mesh.ModeOne && m.hops > 0 {
			s.sampleStretch(m, v.node)
		}
	}
	m.ran = append(m.ran, run{v.node, n.life})
	if s.now >= s.warm {
		v.handled++
	}
	d := &s.addrs[m.addr]
	p := s.meter.at(m)
	p.handled++
	if !d.Selector.Match(v.attrs) {
		p.wrong++
	}
	if home := s.nodes[m.origin].region; m.mode == mesh.ModeOne && home != n.region && d.alive[home] > 0 {
		p.crossed++
	}
	switch {
	case b.token.HopCount() > int(m.ttl):
		m.why = fmt.Sprintf("it was handled after %d hops with a TTL of %d", b.token.HopCount(), m.ttl)
	case s.clock.After(m.expires.Std().Add(mesh.ClockTolerance)):
		m.why = fmt.Sprintf("it was handled %v after it had expired", s.clock.Sub(m.expires.Std()).Round(time.Millisecond))
	}
	if s.traced(m) {
		s.trace("%s handles message %d after %d hops", s.nodeName(v.node), m.number, b.token.HopCount())
	}
}

// ranAt counts the runs at a node.
func (m *msg) ranAt(node int32) int {
	k := 0
	for _, r := range m.ran {
		if r.node == node {
			k++
		}
	}
	return k
}

// judge compares the final word with what happened so far.
func (s *sim) judge(m *msg) {
	if m.mode == mesh.ModeOne && m.why == "" {
		switch {
		case m.status == mesh.StatusOK && m.class == mesh.ClassConfirm && m.ranAt(s.nodeOf(max(m.provider, 0))) == 0:
			m.why = "the word is ok, and its provider's handler did not run"
		case (m.status.Negative() || m.status/100 == 4) && len(m.ran) > 0:
			m.why = "the word says that nothing was done, and a handler ran"
		}
	}
	if m.class == mesh.ClassConfirm && !answered(m.status) {
		m.excused = !s.served(m)
		m.denied = !m.excused && m.mode == mesh.ModeOne && (m.status == mesh.StatusNoProvider || m.status == mesh.StatusNoRoute)
	}
}

// answered tells whether a word is one of the provider, good or not.
func answered(st mesh.Status) bool { return st == mesh.StatusOK || st/100 == 3 }

// settle counts a message that nothing holds any more.
func (s *sim) settle(m *msg) {
	repeated := false
	for i, a := range m.ran {
		for _, b := range m.ran[:i] {
			switch {
			case a == b:
				m.why = "one provider's handler ran twice"
			case a.node == b.node:
				repeated = true
			case m.mode == mesh.ModeOne && !s.flows[m.flow].Failover:
				m.why = "the handlers of two providers ran, and failover was not allowed"
			}
		}
	}
	if m.open { // the run went on for longer than its deadline
		m.why = "no final word came"
	}
	got := answered(m.status)
	if m.class == mesh.ClassFire {
		if got = len(m.ran) > 0; !got && !m.orphan && m.status != 0 {
			m.excused = !s.served(m)
		}
	}
	p, sec := s.meter.at(m), s.meter.secondOf(m)
	p.messages++
	if repeated {
		p.repeated++
	}
	if m.denied {
		p.denied++
	}
	if m.why != "" {
		p.lies++
		s.fail(m, m.why, true)
	}
	if m.orphan || m.status == 0 {
		p.orphans++
		return
	}
	s.meter.outcome(s, m)
	if m.excused {
		p.excused++
		return
	}
	p.asked++
	sec.asked++
	if got {
		p.acked++
		sec.acked++
	} else if m.why == "" {
		s.fail(m, "an able provider was alive and connected all along", false)
	}
	s.meter.delivery(s, m, p, sec, got)
}

// fail notes a message for replay.
func (s *sim) fail(m *msg, why string, lie bool) {
	g := &s.meter
	if m.sent < s.warm && !lie {
		return // outcomes of warm-up's messages are told apart
	}
	g.failed++
	if len(g.failures) < MaxFailures {
		g.failures = append(g.failures, Failure{
			Message: m.number, At: time.Duration(m.sent), From: int(m.origin), To: string(s.addrs[m.addr].text),
			Outcome: m.status.String(), Lie: lie, Why: why,
		})
	}
}

// served tells whether some able provider has been alive, and joined to the
// origin by honest nodes and links of at most TTL hops, from the sending of a
// message until now.
func (s *sim) served(m *msg) bool {
	for _, v := range s.addrs[m.addr].servers {
		if n := &s.nodes[s.servers[v].node]; n.alive && n.born <= m.sent {
			s.paths.target(s.servers[v].node)
		}
	}
	return s.paths.near(s, m.origin, int(m.ttl), m.sent)
}

// sentToAll notes what a message to all should reach, and, of a sample, the
// size of the tree that would do it.
func (s *sim) sentToAll(m *msg) {
	for _, n := range s.addrs[m.addr].alive {
		m.able += n
	}
	if m.sent < s.warm || s.meter.allSeen%s.meter.allEvery != 0 {
		s.meter.allSeen++
		return
	}
	s.meter.allSeen++
	for _, v := range s.addrs[m.addr].servers {
		if s.nodes[s.servers[v].node].alive {
			s.paths.target(s.servers[v].node)
		}
	}
	m.edges = int32(s.paths.tree(s, m.origin, int(m.ttl)))
}

// sampleStretch compares the first way of a message with the shortest one to
// its provider now.
func (s *sim) sampleStretch(m *msg, to int32) {
	if m.number%s.meter.stretchEvery != 0 {
		return
	}
	hops, latency := s.paths.shortest(s, m.origin, to, false), s.paths.shortest(s, m.origin, to, true)
	if hops <= 0 || latency <= 0 {
		return
	}
	p := s.meter.at(m)
	p.stretch = append(p.stretch, float64(m.hops)/float64(hops))
	p.slower = append(p.slower, float64(s.now-m.left)/float64(latency))
}
