package ledger

import (
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
)

// scope is a service and an origin.
type scope struct {
	service string
	origin  peer.ID
}

// scopes gives each service and origin that has entries a number, so that
// their names are held once. A number is used again when its last entry goes.
type scopes struct {
	numbers map[scope]uint32
	names   []scope
	refs    []uint32
	free    []uint32
	bytes   int
}

func newScopes() scopes { return scopes{numbers: make(map[scope]uint32)} }

// scopeCost is the memory of one scope: its names, and 128 bytes for its
// places in the map and the slices.
func scopeCost(service string, origin peer.ID) int {
	return 128 + len(service) + len(origin)
}

func (s *scopes) find(service string, origin peer.ID) (uint32, bool) {
	n, ok := s.numbers[scope{service, origin}]
	return n, ok
}

// costOfNew is the cost of a scope unless it is known already.
func (s *scopes) costOfNew(service string, origin peer.ID) int {
	if _, known := s.find(service, origin); known {
		return 0
	}
	return scopeCost(service, origin)
}

// hold counts one more entry. It copies new names: they may be parts of a
// whole frame.
func (s *scopes) hold(service string, origin peer.ID) uint32 {
	if n, known := s.find(service, origin); known {
		s.refs[n]++
		return n
	}
	k := scope{strings.Clone(service), peer.ID(strings.Clone(string(origin)))}
	s.bytes += scopeCost(service, origin)
	n := uint32(len(s.names))
	if last := len(s.free) - 1; last >= 0 {
		n, s.free = s.free[last], s.free[:last]
		s.names[n], s.refs[n] = k, 1
	} else {
		s.names, s.refs = append(s.names, k), append(s.refs, 1)
	}
	s.numbers[k] = n
	return n
}

func (s *scopes) release(n uint32) {
	if s.refs[n]--; s.refs[n] > 0 {
		return
	}
	k := s.names[n]
	s.bytes -= scopeCost(k.service, k.origin)
	delete(s.numbers, k)
	s.names[n] = scope{}
	s.free = append(s.free, n)
}
