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
	key     Key     // of a frame passed on
	sent    int64   // Unix nanoseconds, as expires
	expires int64
	nonce   uint32
	ttl     uint8 // as sent
	hops    uint8
	attempt uint8
	budget  uint8
	lane    uint8
	flags   uint8
	doubted bool     // said to be unknown already, while the link was suspect
	tried   *[]*port // other ways tried before this one, or nil
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

// firstRing is the size of a table that is little used.
const firstRing = 4

func newInflight(limit int) inflight {
	return inflight{ring: make([]slot, min(firstRing, limit)), head: 1, tail: 1, max: limit}
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

// shrink gives back what a crowd took, once it is gone.
func (f *inflight) shrink() {
	if f.live == 0 && len(f.ring) > firstRing {
		f.tail, f.ring = f.head, make([]slot, min(firstRing, f.max))
	}
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

// since is the time from a moment in Unix nanoseconds.
func since(now time.Time, at int64) time.Duration { return time.Duration(now.UnixNano() - at) }
