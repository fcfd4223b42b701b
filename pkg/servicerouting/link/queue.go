package link

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// chunk is a piece of memory into which units are packed, ready to be written.
type chunk struct {
	mem  *[chunkSize]byte
	buf  []byte    // what is filled of mem; nil when that was given back
	left int       // units not yet written or dropped
	at   time.Time // when the last of them was
	gen  uint32    // rises when that happens
	next Ref       // the chunk after it in the lane
}

// memory of chunks is shared by all links; the garbage collector bounds it.
var memory sync.Pool

const (
	chunkSize = 64 << 10
	// frameCost is counted for each queued unit beside its bytes: what this
	// package keeps of it, and what the ring has ready for more.
	frameCost = 256
	// retainFor is how long written bytes are kept, and memory without use.
	retainFor = 2 * time.Second
)

// Ref names the bytes of a frame that was queued, as long as they are kept. It
// holds no memory but its own.
type Ref struct {
	c   *chunk
	gen uint32
	off int
}

func (r Ref) gone() bool { return r.c == nil || r.c.gen != r.gen }

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
	size     int // of the frame
	pos      int // of a taken one: where it begins in the write
	at       time.Time
	item     Item
	first    bool // no byte of the frame goes before this unit
	last     bool
	dropped  bool
}

// lane is a queue of payload units: a ring of metas over chunks.
type lane struct {
	metas []meta // as many as a power of two
	head  int
	n     int
	swept int // so many, from the head, cannot become stale
	dead  int // dropped ones
	tail  *chunk
	bytes int
}

func (q *lane) at(i int) *meta { return &q.metas[(q.head+i)&(len(q.metas)-1)] }

func (q *lane) push(m meta) {
	if q.n == len(q.metas) {
		bigger := make([]meta, max(16, 2*len(q.metas)))
		for i := range q.n {
			bigger[i] = *q.at(i)
		}
		q.metas, q.head = bigger, 0
	}
	q.n++
	*q.at(q.n - 1) = m
	q.bytes += m.len
}

func (q *lane) pop() meta {
	m := *q.at(0)
	*q.at(0) = meta{}
	q.head = (q.head + 1) & (len(q.metas) - 1)
	q.n--
	q.swept = max(0, q.swept-1)
	if m.dropped {
		q.dead--
	} else {
		q.bytes -= m.len
	}
	return m
}

// compact closes the gaps that dropped units left, when most are gaps: a local
// frame in front that waits for credit must not make the ring grow.
func (q *lane) compact() {
	if 2*q.dead <= q.n {
		return
	}
	n, swept := 0, 0
	for i := range q.n {
		if i == q.swept {
			swept = n
		}
		if m := *q.at(i); !m.dropped {
			*q.at(n) = m
			n++
		}
	}
	if q.swept == q.n {
		swept = n
	}
	for i := n; i < q.n; i++ {
		*q.at(i) = meta{}
	}
	q.n, q.swept, q.dead = n, swept, 0
}

// fits tells whether there is room for n more bytes of units: in the queue,
// and in the memory beneath, of which dropped frames and the ends of chunks
// waste as much as the queue may hold, and no more.
func (l *Link) fits(n int) bool {
	limit := int(l.maxQueue.Load())
	return int(l.queued.Load())+n+frameCost <= limit && l.held+n <= 2*limit
}

// room gives a chunk of the lane that has n bytes free.
func (l *Link) room(q *lane, n int) *chunk {
	old := q.tail
	if old != nil && cap(old.buf)-len(old.buf) >= n {
		return old
	}
	mem, _ := memory.Get().(*[chunkSize]byte)
	if mem == nil {
		mem = new([chunkSize]byte)
	}
	var c *chunk
	if k := len(l.spare) - 1; k >= 0 {
		c, l.spare = l.spare[k], l.spare[:k]
	} else {
		c = new(chunk)
	}
	c.mem, c.buf = mem, mem[:0]
	q.tail = c
	l.held += chunkSize
	if old != nil {
		old.next = Ref{c, c.gen, 0}
		if old.left == 0 {
			l.retain(old)
		}
	}
	return c
}

// put queues one unit made of a head and up to two parts.
func (l *Link) put(q *lane, k Kind, m meta, head, a, b []byte) Ref {
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
	return Ref{c, c.gen, m.off}
}

// fragments queues a large frame in parts, so that others pass between.
func (l *Link) fragments(q *lane, laneNo int, m meta, hop, rest []byte) (r Ref) {
	total := len(hop) + len(rest)
	head := make([]byte, 0, 8)
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
		if at := l.put(q, KindFragment, m, head, part, rest[:n]); m.first {
			r = at
		}
		done += len(part) + n
		part, rest = nil, rest[n:]
	}
	return r
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
	c.at = now
	if c.left > 0 {
		return
	}
	if c != l.lanes[0].tail && c != l.lanes[1].tail {
		l.retain(c)
	}
}

// retain keeps a written chunk for resends, and recycles the oldest ones.
func (l *Link) retain(c *chunk) {
	l.held -= chunkSize
	l.kept = append(l.kept, c)
	for len(l.kept) > l.cfg.RetainBytes/chunkSize {
		l.recycle()
	}
}

// recycle gives the memory of the oldest chunk away.
func (l *Link) recycle() {
	c := l.kept[0]
	n := copy(l.kept, l.kept[1:])
	l.kept[n] = nil
	l.kept = l.kept[:n]
	memory.Put(c.mem)
	*c = chunk{gen: c.gen + 1}
	l.spare = append(l.spare, c)
}

// expire recycles what was kept long enough, and what an idle lane holds. It
// tells when to look again; zero: when something was sent.
func (l *Link) expire(now time.Time) (next time.Time) {
	for i := range l.lanes {
		q := &l.lanes[i]
		if q.tail == nil || q.n > 0 {
			continue
		}
		if due := q.tail.at.Add(retainFor); now.Before(due) {
			next = earlier(next, due)
			continue
		}
		c := q.tail
		*q = lane{}
		l.retain(c)
	}
	for len(l.kept) > 0 {
		if due := l.kept[0].at.Add(retainFor); now.Before(due) {
			return earlier(next, due)
		}
		l.recycle()
	}
	return next
}

// Retained appends the bytes of a frame, after its hop header, to dst, if they
// are still kept: whether it was sent or not, also after the link's end.
func (l *Link) Retained(r Ref, dst []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.gone() {
		return dst, false
	}
	b, k := r.c.unit(r.off)
	if k == KindFrame {
		return append(dst, b[mesh.HopHeaderLen:]...), true
	}
	had := len(dst)
	left := int(binary.BigEndian.Uint32(b[fragmentHead:])) - mesh.HopHeaderLen
	b = b[fragmentHead+4+mesh.HopHeaderLen:]
	for c, off := r.c, r.off; ; {
		dst = append(dst, b...)
		if left -= len(b); left == 0 {
			return dst, true
		}
		off += unitHead + len(b) + fragmentHead
		if len(dst) == had+len(b) { // after the first one
			off += 4 + mesh.HopHeaderLen
		}
		if off == len(c.buf) {
			if c.next.gone() {
				return dst[:had], false
			}
			c, off = c.next.c, 0
		}
		b, _ = c.unit(off)
		b = b[fragmentHead:]
	}
}

// unit gives the body of the unit at an offset.
func (c *chunk) unit(off int) ([]byte, Kind) {
	n := int(binary.BigEndian.Uint32(c.buf[off:]))
	return c.buf[off+unitHead : off+4+n], Kind(c.buf[off+4])
}
