package sim

import "time"

// What a link keeps of frames it has sent for others, for a resend: as many
// and as long as in production.
const (
	keepMost = 256
	keepFor  = 2 * time.Second
)

// kept is a ring of sent frames.
type kept struct {
	ring    []keptFrame
	head, n int
}

type keptFrame struct {
	seq uint64
	at  int64
	msg int32
}

// keep holds a message that was sent by an end.
func (s *sim) keep(e int32, seq uint64, m *msg) {
	s.forgetKept(e)
	k := &s.ends[e].kept
	if k.n == len(k.ring) {
		if k.n == keepMost {
			s.forgetOne(k)
		} else {
			bigger := make([]keptFrame, max(4, 2*k.n))
			for i := range k.n {
				bigger[i] = k.ring[(k.head+i)%len(k.ring)]
			}
			k.ring, k.head = bigger, 0
		}
	}
	m.refs++
	k.ring[(k.head+k.n)%len(k.ring)] = keptFrame{seq, s.now, m.index}
	k.n++
}

// keptBy finds a message by the number under which it was sent.
func (s *sim) keptBy(e int32, seq uint64) *msg {
	k := &s.ends[e].kept
	for i := range k.n {
		f := &k.ring[(k.head+i)%len(k.ring)]
		if f.seq == seq && s.now-f.at <= int64(keepFor) {
			return s.msgs.at(f.msg)
		}
	}
	return nil
}

// forgetKept lets go of what was kept for long enough.
func (s *sim) forgetKept(e int32) {
	k := &s.ends[e].kept
	for k.n > 0 && s.now-k.ring[k.head].at > int64(keepFor) {
		s.forgetOne(k)
	}
}

func (s *sim) forgetOne(k *kept) {
	m := s.msgs.at(k.ring[k.head].msg)
	k.head = (k.head + 1) % len(k.ring)
	k.n--
	s.release(m)
}
