package link

import (
	"encoding/binary"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// chunk is a piece of memory into which units are packed, ready to be written.
type chunk struct {
	buf  []byte
	gen  uint32    // rises when the memory is used again
	left int       // units not yet written or dropped
	at   time.Time // when the last of them was written
}

const chunkSize = 64 << 10

// frameCost is counted for each queued unit beside its bytes: what this
// package and the router keep for it.
const frameCost = 256

// Ref names the bytes of a frame that was queued, as long as they are kept.
type Ref struct {
	c        *chunk
	gen      uint32
	off, len int
}

// Item says what a frame is to the caller.
type Item struct {
	Seq   uint64
	Local bool // of a publisher of this node: it waits, however long
	// From is the link by which the frame came, and Size what to release there
	// when the frame leaves the queue. Nil: nothing is released.
	From *Link
	Size int
}

// meta is one queued unit.
type meta struct {
	c        *chunk
	off, len int
	at       time.Time
	item     Item
	first    bool // no byte of the frame goes before this unit
	last     bool
	dropped  bool
}

// lane is a queue of payload units: a ring of metas over chunks.
type lane struct {
	metas []meta
	head  int
	n     int
	tail  *chunk
	bytes int
}

func (q *lane) at(i int) *meta { return &q.metas[(q.head+i)%len(q.metas)] }

func (q *lane) push(m meta) {
	if q.n == len(q.metas) {
		bigger := make([]meta, max(16, 2*len(q.metas)))
		for i := range q.n {
			bigger[i] = *q.at(i)
		}
		q.metas, q.head = bigger, 0
	}
	q.metas[(q.head+q.n)%len(q.metas)] = m
	q.n++
	q.bytes += m.len + frameCost
}

func (q *lane) pop() meta {
	m := *q.at(0)
	*q.at(0) = meta{}
	q.head = (q.head + 1) % len(q.metas)
	q.n--
	q.bytes -= m.len + frameCost
	return m
}

// room gives a chunk of the lane that has n bytes free.
func (l *Link) room(q *lane, n int) *chunk {
	if q.tail != nil && cap(q.tail.buf)-len(q.tail.buf) >= n {
		return q.tail
	}
	if old := q.tail; old != nil && old.left == 0 {
		l.retain(old)
	}
	var c *chunk
	if k := len(l.free); k > 0 {
		c = l.free[k-1]
		l.free = l.free[:k-1]
	} else {
		c = &chunk{buf: make([]byte, 0, chunkSize)}
	}
	q.tail = c
	return c
}

// put queues one unit made of a head and up to two parts.
func (l *Link) put(q *lane, k Kind, m meta, head, a, b []byte) *chunk {
	n := unitHead + len(head) + len(a) + len(b)
	c := l.room(q, n)
	m.c, m.off, m.len = c, len(c.buf), n
	c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(n-4))
	c.buf = append(c.buf, byte(k))
	c.buf = append(c.buf, head...)
	c.buf = append(c.buf, a...)
	c.buf = append(c.buf, b...)
	c.left++
	q.push(m)
	return c
}

// fragments queues a large frame in parts, so that others pass between.
func (l *Link) fragments(q *lane, laneNo int, m meta, hop, rest []byte) {
	total := len(hop) + len(rest)
	head := make([]byte, 0, fragmentHead+4)
	part := hop
	for done := 0; done < total; {
		head = append(head[:0], byte(laneNo), 0)
		n := min(maxBody, len(rest), l.fill(q))
		m.first, m.last = done == 0, done+len(part)+n == total
		if m.first {
			n = min(maxBody-len(part), len(rest), l.fill(q))
			m.last = false
			head[1] |= flagFirst
			head = binary.BigEndian.AppendUint32(head, uint32(total))
		}
		if m.last {
			head[1] |= flagLast
		}
		l.put(q, KindFragment, m, head, part, rest[:n])
		done += len(part) + n
		part, rest = nil, rest[n:]
	}
}

// fill is the size of a fragment that fills the chunk at the tail of a lane,
// or the largest when the rest of it is not worth one.
func (l *Link) fill(q *lane) int {
	const head = unitHead + fragmentHead + 4 + mesh.HopHeaderLen
	if q.tail != nil {
		if room := cap(q.tail.buf) - len(q.tail.buf) - head; room >= 4<<10 {
			return room
		}
	}
	return maxBody
}

// leave is called when a unit of a chunk has been written or dropped.
func (l *Link) leave(c *chunk, now time.Time) {
	c.left--
	if c.left > 0 {
		return
	}
	c.at = now
	if c != l.lanes[0].tail && c != l.lanes[1].tail {
		l.retain(c)
	}
}

// retain keeps a written chunk for resends, and recycles the oldest ones.
func (l *Link) retain(c *chunk) {
	l.kept = append(l.kept, c)
	for len(l.kept) > l.cfg.RetainBytes/chunkSize {
		l.recycle(l.kept[0])
		l.kept = l.kept[1:]
	}
}

func (l *Link) recycle(c *chunk) {
	c.gen++
	c.buf = c.buf[:0]
	if len(l.free) < 4 {
		l.free = append(l.free, c)
	}
}

// expire recycles what was kept long enough.
func (l *Link) expire(now time.Time) {
	for len(l.kept) > 0 && now.Sub(l.kept[0].at) > 2*time.Second {
		l.recycle(l.kept[0])
		l.kept = l.kept[1:]
	}
}

// Retained appends the bytes of a frame, after its hop header, to dst, if they
// are still kept.
func (l *Link) Retained(r Ref, dst []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.c == nil || r.c.gen != r.gen {
		return dst, false
	}
	return append(dst, r.c.buf[r.off:r.off+r.len]...), true
}
