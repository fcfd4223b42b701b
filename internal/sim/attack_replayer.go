package sim

import "time"

// replayer sends payload frames that it has seen again, Strength times each,
// by a link drawn at random, some time later.
type replayer struct {
	honest
	frames []flight // those to come, in order of sending
	first  int
}

// replayAfter is how much later.
const replayAfter = 500 * time.Millisecond

func (r *replayer) comes(s *sim, i, _ int32, f *flight) bool {
	if !s.payload(f) || s.now >= s.end {
		return true
	}
	for range max(1, int(r.Strength)) {
		s.msgs.at(f.msg).refs++
		r.frames = append(r.frames, *f)
		s.queue.push(s.now+int64(replayAfter), evAttack, uint32(i), 0)
	}
	return true
}

// again sends the frame that was noted first: all wait equally long.
func (r *replayer) again(s *sim, i int32, _ uint32) {
	f := r.frames[r.first]
	if r.first++; r.first > 1024 && 2*r.first > len(r.frames) {
		r.frames = append(r.frames[:0], r.frames[r.first:]...)
		r.first = 0
	}
	m := s.msgs.at(f.msg)
	if links := s.nodes[i].links; len(links) > 0 {
		f.seq = 1<<40 + m.no
		s.cross(links[s.attack.IntN(len(links))].end, f, m, true)
	}
	s.release(m)
}
