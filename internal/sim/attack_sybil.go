package sim

import (
	"github.com/meshnode/meshnode/pkg/mesh"
)

// sybil answers a probe with as many identities as Strength says, each of
// which claims to serve, and swallows what is sent to them.
type sybil struct {
	honest
	names map[int32][]int32 // by node: the identities it has made up
}

func (y *sybil) start(s *sim) {
	y.names = make(map[int32][]int32)
	for _, i := range y.nodes {
		for range max(1, int(y.Strength)) {
			y.names[i] = append(y.names[i], s.identity(i))
		}
		for _, name := range s.targets(y.Attacker) {
			s.lure(i, name)
		}
	}
}

func (y *sybil) comes(s *sim, i, _ int32, f *flight) bool {
	return !s.payload(f) || f.bound == nobody || s.nodeOf(f.bound) != i || s.msgs.at(f.msg).typ == mesh.TypeReply
}

func (y *sybil) leaves(s *sim, i, e int32, f *flight) bool {
	if f.carries != carriesAnswer || f.body.kind != bodyRecord || f.body.who != i || f.body.what == 0 {
		return true
	}
	for _, name := range y.names[i] {
		g := *f
		g.body.who, g.body.n = name, uint64(s.now)+1
		s.put(e, g, answerSize+recordSize, true)
		s.meter.answers += answerSize + recordSize
	}
	return false
}
