package sim

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// flooder sends Strength probes a second for names that nobody serves, past
// its own router, with the largest TTL. Answers to them find no entry there.
type flooder struct {
	honest
	next uint64
}

// hoaxes is how many names are asked for in turn.
const hoaxes = 256

func (y *flooder) start(s *sim) {
	if y.Strength <= 0 {
		y.Strength = 1
	}
	for _, i := range y.nodes {
		s.queue.push(y.wait(s), evAttack, uint32(i), 0)
	}
}

func (y *flooder) wait(s *sim) int64 {
	return s.now + int64(s.attack.ExpFloat64()/y.Strength*float64(time.Second))
}

func (y *flooder) again(s *sim, i int32, _ uint32) {
	if s.now >= s.end {
		return
	}
	y.next++
	to := s.addrOf(mesh.Service(fmt.Sprintf("hoax-%d", y.next%hoaxes)))
	m := s.newMsg(i, to, mesh.TypeProbe, probeLife)
	m.mode = mesh.ModeAll
	for _, l := range s.nodes[i].links {
		s.cross(l.end, flight{
			carries: carriesFrame, msg: m.index, bound: nobody, flags: uint8(mesh.FlagProbe), ttl: mesh.MaxTTL, seq: 1<<40 + y.next,
		}, m, true)
	}
	s.release(m)
	s.queue.push(y.wait(s), evAttack, uint32(i), 0)
}
