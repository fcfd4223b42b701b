package ledger

import "github.com/meshnode/meshnode/pkg/mesh"

// flags of an entry. "Failed for good" is done with a status that says so.
type flags uint8

const (
	done  flags = 1 << iota // without it: begun
	rerun                   // by a run that was marked as redelivered
	lost                    // the reply gave way
)

// entry is one delivery: 36 bytes without a pointer.
type entry struct {
	id         mesh.ID
	scope      uint32
	prev, next uint32 // of the same due second
	due        uint32 // second in which it may be forgotten
	status     mesh.Status
	flags      flags
}

// entryCost is the memory of one entry in bytes: itself and its place in the
// index, which is between 7/16 and 7/8 full. TestMemory measures it.
const entryCost = 96

// slabChunk is how many entries are allocated at a time. A slab that grows by
// chunks copies nothing.
const slabChunk = 1024

// slab holds the entries; index 0 is nobody.
type slab struct {
	chunks []*[slabChunk]entry
	used   uint32 // indexes ever given out
	free   uint32 // first of the returned ones, chained by next
}

func (s *slab) at(i uint32) *entry { return &s.chunks[i/slabChunk][i%slabChunk] }

func (s *slab) take() uint32 {
	if i := s.free; i != 0 {
		s.free = s.at(i).next
		return i
	}
	s.used++
	if int(s.used/slabChunk) >= len(s.chunks) {
		s.chunks = append(s.chunks, new([slabChunk]entry))
	}
	return s.used
}

func (s *slab) give(i uint32) {
	*s.at(i) = entry{next: s.free}
	s.free = i
}
