package sim

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// end is one side of a link; the other side is the one whose index differs in
// the last bit. It owns what it sends.
type end struct {
	out     [2]outgoing // payload, and what goes before it when bandwidth is short
	kept    kept
	port    router.Port
	latency int64 // of one crossing, without jitter
	since   int64 // when the link was last made, or last ceased to be silent
	stall   int64 // of a silent one: since when the heartbeat misses something
	node    int32
	peer    int32
	gen     uint32 // rises when the pair is used again; 24 bits are told
	kind    int32
	watch   uint8 // rises when what the heartbeat waits for changes
	up      bool
	silent  bool // loses nothing, and delivers nothing, until it is not or is cut
	suspect bool
}

// outgoing is a stream of flights, in order.
type outgoing struct {
	head, tail int32
	last       int64 // arrival of the last one
	free       int64 // when the writer has written all that is queued
	armed      bool  // an evArrive is to come
}

// rto is how much later than a round trip a lost frame is sent again: the
// least retransmission time-out of Linux.
const rto = 200 * time.Millisecond

// connect makes a link between two nodes that are alive, unless they have one.
func (s *sim) connect(a, b int32) bool {
	if a == b || !s.nodes[a].alive || !s.nodes[b].alive {
		return false
	}
	ea, eb := s.linked(a, b), s.linked(b, a)
	switch {
	case ea != nobody && eb != nobody:
		return false
	case ea != nobody: // the other side has seen its end
		s.closeEnd(ea)
	case eb != nobody:
		s.closeEnd(eb)
	}
	e := s.newPair(a, b)
	s.pairs++
	for _, x := range [2]int32{e, e + 1} {
		n := &s.nodes[s.ends[x].node]
		port := s.input(s.ends[x].node).LinkUp(s.clock, s.peers[s.ends[x].peer])
		s.ends[x].port, n.links[len(n.links)-1].port = port, port
		s.act(s.ends[x].node)
	}
	return true
}

func (s *sim) newPair(a, b int32) int32 {
	var e int32
	if n := len(s.freeEnd) - 1; n >= 0 {
		e, s.freeEnd = s.freeEnd[n], s.freeEnd[:n]
	} else {
		e = int32(len(s.ends))
		s.ends = append(s.ends, end{}, end{})
	}
	k := s.kindOf(a, b)
	latency := int64(s.kinds[k].Latency)
	if spread := int64(s.kinds[k].Spread); spread > 0 {
		latency += s.line.Int64N(spread + 1)
	}
	for x, n := range [2]int32{a, b} {
		i := e + int32(x)
		s.ends[i] = end{
			node: n, peer: [2]int32{b, a}[x], kind: k, gen: (s.ends[i].gen + 1) & 0xffffff,
			latency: latency, since: s.now, up: true, kept: s.ends[i].kept,
			out: [2]outgoing{{head: nobody, tail: nobody}, {head: nobody, tail: nobody}},
		}
		s.nodes[n].links = append(s.nodes[n].links, tie{end: i, peer: s.ends[i].peer})
	}
	return e
}

// put queues a flight of a number of bytes. It tells whether the link took it.
func (s *sim) put(e int32, f flight, size int64, local bool) bool {
	en := &s.ends[e]
	k := &s.kinds[en.kind]
	lane, done := 0, s.now
	f.start = s.now
	if k.Bandwidth > 0 {
		if f.carries != carriesFrame {
			lane = 1
		}
		o := &en.out[lane]
		took := size * int64(time.Second) / k.Bandwidth
		f.start = max(s.now, o.free)
		if lane == 0 {
			limit := k.MaxQueue
			if local { // a publisher's own frames wait beside the queue
				limit *= 2
			}
			if waiting := int64(float64(f.start-s.now) / float64(time.Second) * float64(k.Bandwidth)); waiting+size > limit {
				return false
			}
		} else {
			en.out[0].free = max(s.now, en.out[0].free) + took
		}
		done = f.start + took
		o.free = done
	}
	delay := en.latency
	if k.Jitter > 0 {
		delay += int64(k.Jitter * s.line.Float64() * float64(en.latency))
	}
	if k.Loss > 0 {
		for again := int64(rto) + 2*en.latency; s.line.Float64() < k.Loss && again < int64(10*time.Second); again *= 2 {
			delay += again
		}
	}
	o := &en.out[lane]
	f.at = max(o.last, done+delay)
	o.last = f.at
	f.next = nobody
	i := s.flights.put(f)
	if o.tail == nobody {
		o.head = i
	} else {
		s.flights.all[o.tail].next = i
	}
	o.tail = i
	if f.carries == carriesFrame {
		s.msgs.at(f.msg).refs++
	}
	if en.silent {
		if f.carries == carriesFrame && f.seq != 0 {
			s.missed(e)
		}
	} else if !o.armed {
		o.armed = true
		s.queue.push(f.at, evArrive, uint32(e), en.gen<<1|uint32(lane))
	}
	return true
}

// arrive hands over what has come by one stream of an end.
func (s *sim) arrive(e int32, b uint32) {
	lane, gen := b&1, b>>1
	if s.ends[e].gen != gen {
		return
	}
	s.ends[e].out[lane].armed = false
	for {
		en := &s.ends[e]
		if en.gen != gen || en.silent {
			return
		}
		o := &en.out[lane]
		if o.head == nobody {
			return
		}
		if next := s.flights.all[o.head].at; next > s.now {
			if !o.armed {
				o.armed = true
				s.queue.push(next, evArrive, uint32(e), b)
			}
			return
		}
		f := s.shift(o)
		s.count++
		if far := e ^ 1; s.ends[far].up {
			s.receive(far, &f)
		}
		if f.carries == carriesFrame {
			s.release(s.msgs.at(f.msg))
		}
	}
}

// shift takes the first flight of a stream that has one.
func (s *sim) shift(o *outgoing) flight {
	i := o.head
	f := s.flights.all[i]
	s.flights.give(i)
	if o.head = f.next; o.head == nobody {
		o.tail = nobody
	}
	return f
}

// closeEnd ends one side of a link: what was not written is refused, the rest
// unknown. The other side hears of it, unless the link is silent.
func (s *sim) closeEnd(e int32) {
	i := s.ends[e].node
	port := s.ends[e].port
	unwritten := s.drop(e)
	r := s.input(i)
	for _, seq := range unwritten {
		r.Refused(s.clock, port, seq, nil, mesh.StatusNotSent)
	}
	r.LinkDown(s.clock, port)
	s.act(i)
	s.needs(i)
	if s.ends[e^1].up && !s.ends[e].silent {
		s.queue.push(s.now+s.ends[e].latency, evDown, uint32(e^1), s.ends[e^1].gen)
	}
}

// abandonEnd ends the side of a node that is gone.
func (s *sim) abandonEnd(e int32, word bool) {
	s.drop(e)
	far := e ^ 1
	switch {
	case !s.ends[far].up:
	case word && !s.ends[e].silent:
		s.queue.push(s.now+s.ends[e].latency, evDown, uint32(far), s.ends[far].gen)
	default:
		s.hush(far)
	}
}

func (s *sim) farClosed(e int32, gen uint32) {
	if s.ends[e].gen == gen && s.ends[e].up {
		s.closeEnd(e)
	}
}

// drop takes an end out of its node, with all it has sent, and gives the
// numbers of frames not yet written. The pair is free when both ends are out.
func (s *sim) drop(e int32) (unwritten []uint64) {
	en := &s.ends[e]
	if !en.up {
		return nil
	}
	en.up = false
	n := &s.nodes[en.node]
	for k := range n.links {
		if n.links[k].end == e {
			n.links = append(n.links[:k], n.links[k+1:]...)
			break
		}
	}
	unwritten = s.scratch[:0]
	for lane := range en.out {
		for o := &en.out[lane]; o.head != nobody; {
			f := s.shift(o)
			if f.carries == carriesFrame {
				if f.start > s.now && f.seq != 0 {
					unwritten = append(unwritten, f.seq)
				}
				s.release(s.msgs.at(f.msg))
			}
		}
	}
	s.scratch = unwritten
	for en.kept.n > 0 {
		s.forgetOne(&en.kept)
	}
	if s.ends[e^1].up {
		s.pairs--
	} else {
		s.ends[e].gen = (s.ends[e].gen + 1) & 0xffffff
		s.ends[e^1].gen = (s.ends[e^1].gen + 1) & 0xffffff
		s.freeEnd = append(s.freeEnd, e&^1)
	}
	return unwritten
}
