package sim

import "github.com/meshnode/meshnode/pkg/mesh"

// What a flight carries.
const (
	carriesFrame uint8 = iota + 1
	carriesAnswer
	carriesGraft
)

// flight is something on its way over a link: 88 bytes without a pointer.
type flight struct {
	at        int64 // when it arrives
	start     int64 // when its first byte is written
	seq, back uint64
	nonce     uint32
	next      int32 // behind it on the same stream
	msg       int32 // of a frame: the message; of a graft: the service, or nobody
	bound     int32 // of a frame: identity
	status    mesh.Status
	carries   uint8
	flags     uint8
	ttl       uint8
	hops      uint8
	attempt   uint8
	budget    uint8
	priority  uint8
	reach     uint8
	body      body
}

// nobody stands for no index.
const nobody int32 = -1

// flights is a slab with a free list.
type flights struct {
	all  []flight
	free int32 // first free one + 1
}

func (s *flights) put(f flight) int32 {
	if i := s.free - 1; i >= 0 {
		s.free = s.all[i].next
		s.all[i] = f
		return i
	}
	s.all = append(s.all, f)
	return int32(len(s.all) - 1)
}

func (s *flights) give(i int32) {
	s.all[i].next = s.free
	s.free = i + 1
}
