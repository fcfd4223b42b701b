package sim

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// meter gathers what the figures are made of.
type meter struct {
	warm                     int64 // end of warm-up
	published, pending       uint64
	probes, payload, answers int64 // bytes put on links so far
	phases                   [2]phase
	sent                     []bucket // by second of sending
	samples                  []sample // one a second
	outcomes                 map[string]uint64
	failed                   uint64
	failures                 []Failure
	stretchEvery             uint64
	allEvery, allSeen        uint64
}

// phase is warm-up, or what comes after it. Messages belong to the one in
// which they were sent.
type phase struct {
	messages, asked, acked, excused, orphans, lies, denied, repeated uint64
	handled, wrong, crossed                                          uint64
	hops                                                             [mesh.MaxTTL + 2]uint64
	stretch, slower                                                  []float64
	latency, fast, slow                                              *hdrhistogram.Histogram // µs
	delivered, copies, extra                                         uint64
	probed, firstFrames, firsts                                      uint64
	probeFrames                                                      uint64
	allDone, allEdges, allCopies                                     uint64
	reach                                                            float64
}

// bucket is what became of the messages of one second.
type bucket struct {
	asked, acked, delivered, copies uint64
}

// sample is the state of a run at the end of a second.
type sample struct {
	alive, pairs             int
	probes, payload, answers int64
}

// The samples that a run takes at most of what is costly to know.
const (
	stretchSamples = 2000
	treeSamples    = 200
)

func (g *meter) init(s *sim) {
	g.warm, g.outcomes = s.warm, make(map[string]uint64)
	for i := range g.phases {
		p := &g.phases[i]
		for _, h := range []**hdrhistogram.Histogram{&p.latency, &p.fast, &p.slow} {
			*h = hdrhistogram.New(1, int64(time.Hour/time.Microsecond), 3)
		}
	}
	one, all := 0.0, 0.0
	for k := range s.flows {
		f := &s.flows[k]
		n := f.Rate * float64(len(f.senders)) * time.Duration(s.end).Seconds()
		if f.Mode == "all" {
			all += n
		} else {
			one += n
		}
	}
	g.stretchEvery = uint64(max(1, one/stretchSamples))
	g.allEvery = uint64(max(1, all/treeSamples))
	g.sent = make([]bucket, s.end/int64(time.Second)+1)
	g.samples = append(g.samples, sample{alive: s.sc.Nodes})
}

// at is the phase of a message.
func (g *meter) at(m *msg) *phase { return g.now(m.sent) }

// now is the phase of a time.
func (g *meter) now(ns int64) *phase {
	if ns < g.warm {
		return &g.phases[0]
	}
	return &g.phases[1]
}

func (g *meter) secondOf(m *msg) *bucket { return &g.sent[m.sent/int64(time.Second)] }

func (g *meter) outcome(s *sim, m *msg) {
	if m.sent >= s.warm {
		g.outcomes[m.status.String()]++
	}
}

// delivery counts a message that was asked for with somebody there to take it.
func (g *meter) delivery(s *sim, m *msg, p *phase, sec *bucket, got bool) {
	if m.probed {
		p.probed++
		p.firsts++
		p.firstFrames += uint64(m.frames)
	}
	if m.mode == mesh.ModeAll {
		g.deliveryToAll(m, p)
		return
	}
	if !got {
		return
	}
	if m.class == mesh.ClassConfirm {
		us := max(1, (m.worded-m.sent)/int64(time.Microsecond))
		_ = p.latency.RecordValue(us) // at most an hour, as deadlines are
		if i := m.provider; i != nobody && int(i) < len(s.nodes) {
			if v := s.serverOf(i, s.addrs[m.addr].name); v != nobody && s.servers[v].slow {
				_ = p.slow.RecordValue(us)
			} else {
				_ = p.fast.RecordValue(us)
			}
		}
	}
	if len(m.ran) == 0 {
		return
	}
	p.hops[min(int(m.hops), len(p.hops)-1)]++
	p.delivered++
	p.copies += uint64(m.crossings)
	p.extra += uint64(max(0, m.crossings-m.hops))
	sec.delivered++
	sec.copies += uint64(m.crossings)
}

func (g *meter) deliveryToAll(m *msg, p *phase) {
	if m.able > 0 {
		p.allDone++
		p.reach += min(1, float64(len(m.ran))/float64(m.able))
	}
	if m.edges > 0 {
		p.allEdges += uint64(m.edges)
		p.allCopies += uint64(m.crossings)
	}
}

// second takes a sample.
func (s *sim) second() {
	g := &s.meter
	g.samples = append(g.samples, sample{s.alive, s.pairs, g.probes, g.payload, g.answers})
	if s.now+int64(time.Second) <= s.end {
		s.queue.push(s.now+int64(time.Second), evSecond, 0, 0)
	}
}
