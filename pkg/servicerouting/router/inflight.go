package router

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// slot is one frame sent by a link that waits for its answer: where the
// answer goes, and what is needed to try another way.
type slot struct {
	seq     uint64 // 0: free
	in      *port  // where the frame came from; nil: this node
	inSeq   uint64
	pub     *Pub    // of this node, or nil
	br      *branch // of a flood or probe, or nil
	dest    peer.ID // bound provider, empty for floods
	sent    time.Time
	expires time.Time
	nonce   uint32
	ttl     uint8 // as sent
	hops    uint8
	attempt uint8
	budget  uint8
	lane    uint8
	flags   uint8
	doubted bool    // said to be unknown already, while the link was suspect
	tried   []*port // other ways tried before this one
}

// inflight is a link's table of slots, a ring indexed by sequence number:
// sequence numbers rise by one, answers come back in nearly that order.
type inflight struct {
	ring []slot
	head uint64 // next sequence number
	tail uint64 // oldest that may be live
	live int
	max  int
}

func newInflight(limit int) inflight {
	return inflight{ring: make([]slot, min(16, limit)), head: 1, tail: 1, max: limit}
}

// next gives the place for a new sequence number. When the table is full, the
// oldest entry is pushed out and given back: its answer will come home by
// route instead.
func (f *inflight) next() (s *slot, pushed slot) {
	n := uint64(len(f.ring))
	for f.tail < f.head && f.ring[f.tail%n].seq != f.tail {
		f.tail++
	}
	if f.head-f.tail == n {
		if int(n) < f.max {
			f.grow()
			n = uint64(len(f.ring))
		} else {
			pushed = f.ring[f.tail%n]
			f.ring[f.tail%n] = slot{}
			f.tail++
			f.live--
		}
	}
	s = &f.ring[f.head%n]
	*s = slot{seq: f.head}
	f.head++
	f.live++
	return s, pushed
}

func (f *inflight) grow() {
	bigger := make([]slot, min(2*len(f.ring), f.max))
	for q := f.tail; q < f.head; q++ {
		bigger[q%uint64(len(bigger))] = f.ring[q%uint64(len(f.ring))]
	}
	f.ring = bigger
}

// get finds a live entry, or nil.
func (f *inflight) get(seq uint64) *slot {
	if seq < f.tail || seq >= f.head {
		return nil
	}
	if s := &f.ring[seq%uint64(len(f.ring))]; s.seq == seq && seq != 0 {
		return s
	}
	return nil
}

// drop frees an entry.
func (f *inflight) drop(s *slot) {
	*s = slot{}
	f.live--
}

// each calls fn for every live entry, oldest first.
func (f *inflight) each(fn func(*slot)) {
	for q := f.tail; q < f.head; q++ {
		if s := &f.ring[q%uint64(len(f.ring))]; s.seq == q {
			fn(s)
		}
	}
}
