package sim

import "time"

// idlePing is the time after which production probes an idle link: as long as
// that it does not notice that the other end is silent.
const idlePing = 5 * time.Second

// hush makes the link of an end silent. Each side that is up begins to miss
// something: at once when it waits for an answer, otherwise with its next
// frame, or its next ping.
func (s *sim) hush(e int32) {
	for _, x := range [2]int32{e, e ^ 1} {
		en := &s.ends[x]
		if en.silent {
			continue
		}
		en.silent = true
		if !en.up {
			continue
		}
		en.stall = s.now
		if s.nodes[en.node].r.InFlight(en.port) == 0 {
			en.stall += s.line.Int64N(int64(idlePing))
		}
		s.watch(x)
	}
}

// missed tells that an end which is silent has sent something.
func (s *sim) missed(e int32) {
	if en := &s.ends[e]; en.stall > s.now {
		en.stall = s.now
		s.watch(e)
	}
}

func (s *sim) watch(e int32) {
	en := &s.ends[e]
	k := &s.kinds[en.kind]
	en.watch++
	b := en.gen<<8 | uint32(en.watch)
	s.queue.push(en.stall+int64(k.Suspect), evSuspect, uint32(e), b)
	s.queue.push(en.stall+int64(k.Detect), evCut, uint32(e), b)
}

func (s *sim) watched(e int32, b uint32) bool {
	en := &s.ends[e]
	return en.up && en.silent && b == en.gen<<8|uint32(en.watch)
}

func (s *sim) suspect(e int32, b uint32) {
	if s.watched(e, b) {
		s.doubt(e, true)
	}
}

func (s *sim) doubt(e int32, on bool) {
	en := &s.ends[e]
	en.suspect = on
	s.input(en.node).Suspect(s.clock, en.port, on)
	s.act(en.node)
}

// cutOff ends the near side of a silent link. The node remembers whom it lost.
func (s *sim) cutOff(e int32, b uint32) {
	if !s.watched(e, b) {
		return
	}
	i, peer := s.ends[e].node, s.ends[e].peer
	s.closeEnd(e)
	s.remember(i, peer)
}

// wake ends the silence of a link that nobody has cut: what was held comes,
// after one more time-out, as a stream's retransmissions do.
func (s *sim) wake(e int32) {
	for _, x := range [2]int32{e, e ^ 1} {
		en := &s.ends[x]
		if !en.silent {
			continue
		}
		en.silent, en.since = false, s.now
		en.watch++
		if en.suspect && en.up {
			s.doubt(x, false)
			en = &s.ends[x]
		}
		if !s.ends[x^1].up { // closed over there while nothing could be told
			if en.up {
				s.queue.push(s.now+en.latency, evDown, uint32(x), en.gen)
			}
			continue
		}
		for lane := range en.out {
			if o := &en.out[lane]; o.head != nobody && !o.armed {
				o.armed = true
				s.queue.push(max(s.flights.all[o.head].at, s.now+en.latency+int64(rto)), evArrive, uint32(x), en.gen<<1|uint32(lane))
			}
		}
	}
}
