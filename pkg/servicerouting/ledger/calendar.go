package ledger

import (
	"container/heap"
	"math"
	"time"
)

// calendar finds the entries that may be forgotten: a list per second, and a
// heap of the seconds that have one. Entries far outnumber seconds, so that
// putting and removing one is nearly always O(1).
type calendar struct {
	heads   map[uint32]uint32 // second → first entry; 0 when all were removed
	seconds seconds
}

func newCalendar() calendar { return calendar{heads: make(map[uint32]uint32)} }

func (c *calendar) put(s *slab, i, sec uint32) {
	head, ok := c.heads[sec]
	if !ok {
		heap.Push(&c.seconds, sec)
	}
	e := s.at(i)
	e.due, e.prev, e.next = sec, 0, head
	if head != 0 {
		s.at(head).prev = i
	}
	c.heads[sec] = i
}

func (c *calendar) remove(s *slab, i uint32) {
	e := s.at(i)
	if e.next != 0 {
		s.at(e.next).prev = e.prev
	}
	if e.prev != 0 {
		s.at(e.prev).next = e.next
	} else {
		c.heads[e.due] = e.next
	}
}

// first gives an entry that is due by the second now.
func (c *calendar) first(now uint32) (uint32, bool) {
	for len(c.seconds) > 0 && c.seconds[0] <= now {
		if i := c.heads[c.seconds[0]]; i != 0 {
			return i, true
		}
		delete(c.heads, c.seconds[0])
		heap.Pop(&c.seconds)
	}
	return 0, false
}

// second is the first whole Unix second not before t, within what 32 bits
// hold: 1970 to 2106.
func second(t time.Time) uint32 {
	s := t.Unix()
	if t.Nanosecond() > 0 && s < math.MaxInt64 {
		s++
	}
	return uint32(min(max(s, 0), math.MaxUint32))
}

func floorSecond(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}

// seconds is a heap.Interface with the earliest first.
type seconds []uint32

func (h seconds) Len() int           { return len(h) }
func (h seconds) Less(i, j int) bool { return h[i] < h[j] }
func (h seconds) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *seconds) Push(x any)        { *h = append(*h, x.(uint32)) }
func (h *seconds) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
