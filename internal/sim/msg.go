package sim

import (
	"encoding/binary"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// msg is the immutable part of a message, and, of one that traffic has
// published, all that truly became of it. It lives as long as anything holds
// it: its publication, a flight, a link that keeps it for a resend, a job.
type msg struct {
	index   int32
	refs    int32
	no      uint64 // of its ID
	number  uint64 // of the message that it is, or serves; 0: of no message
	origin  int32  // identity
	addr    int32
	size    int32
	typ     mesh.Type
	mode    mesh.Mode
	class   mesh.Class
	ttl     uint8
	created mesh.Time
	expires mesh.Time
	about   uint64 // of a reply or receipt: the ID of the message
	word    body   // of a receipt
	cause   int32  // of a probe: the message it was made for

	truth
}

// truth is what happened to a published message, as only the simulator knows.
type truth struct {
	flow      int32
	open      bool // no final word yet
	orphan    bool // its sender is gone
	probed    bool // a probe was made for it
	excused   bool // no able provider was there and connected all along
	denied    bool // told that there is nobody, and there was
	sent      int64
	left      int64 // when its first copy left the origin
	worded    int64 // when the final word came
	arrived   int64 // when it first reached a handler
	status    mesh.Status
	provider  int32 // of the final word
	hops      int32 // of the trip that first reached a handler
	crossings int32
	frames    int32 // crossings of its own and its probes' until delivered
	able      int32 // of mode all: providers alive when it was sent
	edges     int32 // of mode all: of the tree that would do, when sampled
	ran       []run
	why       string // a lie seen on the way
}

// run is one run of a handler: of a node, in one of its lives.
type run struct {
	node int32
	life uint32
}

func (m *msg) published() bool { return m.flow != nobody }

func (m *msg) id() (id mesh.ID) { return idOf(m.no) }

func idOf(no uint64) (id mesh.ID) {
	id[6], id[8] = 0x70, 0x80 // version 7, as RFC 9562 has it
	binary.BigEndian.PutUint32(id[0:], uint32(no>>32))
	binary.BigEndian.PutUint32(id[12:], uint32(no))
	return id
}

// key stands for the digest over the message's bytes.
func (m *msg) key() router.Key {
	x := m.no * 0x9e3779b97f4a7c15
	return router.Key{x ^ x>>29, m.no}
}

const msgChunk = 512

// msgs is a slab whose entries do not move: the router holds pointers to them.
type msgs struct {
	chunks []*[msgChunk]msg
	used   int32
	free   []int32
	live   int
	last   uint64
}

func (s *msgs) at(i int32) *msg { return &s.chunks[i/msgChunk][i%msgChunk] }

// take gives an entry with one reference and a new ID.
func (s *msgs) take() *msg {
	var i int32
	if n := len(s.free) - 1; n >= 0 {
		i, s.free = s.free[n], s.free[:n]
	} else {
		i = s.used
		s.used++
		if int(i/msgChunk) >= len(s.chunks) {
			s.chunks = append(s.chunks, new([msgChunk]msg))
		}
	}
	s.live++
	s.last++
	m := s.at(i)
	*m = msg{index: i, refs: 1, no: s.last, cause: nobody, truth: truth{flow: nobody, provider: nobody, ran: m.ran[:0]}}
	return m
}

func (s *msgs) give(m *msg) {
	s.live--
	m.no = 0
	s.free = append(s.free, m.index)
}

// release lets go of a message; the last one to do so settles it.
func (s *sim) release(m *msg) {
	if m.refs--; m.refs > 0 {
		return
	}
	if m.published() {
		s.settle(m)
	}
	s.msgs.give(m)
}
