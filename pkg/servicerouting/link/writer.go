package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// writeSize is the most that one Write is given: two fragments, or as much of
// small units. Inside a Write no progress can be seen.
const writeSize = 2 * maxUnit

// writer writes what is queued, the urgent first, in few large writes. It
// gives the frames of the write that failed of which no byte was taken.
func (l *Link) writer() (left []Item) {
	out := make([]byte, 0, writeSize)
	var gone []meta
	for {
		l.mu.Lock()
		for out = out[:0]; ; l.ready.Wait() {
			if l.closed {
				l.mu.Unlock()
				return nil
			}
			now := l.cfg.Now()
			if out, gone = l.gather(out, gone[:0], now); len(out) > 0 {
				l.beat.writing = now
				break
			}
		}
		l.armLocked(l.beat.writing.Add(l.cfg.Suspect / 4))
		l.mu.Unlock()

		n, err := l.w.Write(out)
		if err == nil && n < len(out) {
			err = io.ErrShortWrite
		}
		release(gone)

		l.mu.Lock()
		l.beat.writing = time.Time{}
		l.stats.BytesOut += uint64(n)
		for i := range gone {
			if gone[i].last {
				l.stats.FramesOut++
			}
		}
		l.movedLocked()
		room := l.roomLocked()
		l.mu.Unlock()
		if err != nil {
			l.Close(fmt.Errorf("write: %w", err))
			return notTaken(gone, n)
		}
		clear(gone)
		if room {
			l.cfg.OnRoom()
		}
	}
}

// notTaken gives the frames that begin at or after byte n of a write.
func notTaken(gone []meta, n int) (items []Item) {
	for _, m := range gone {
		if m.first && m.pos >= n {
			items = append(items, m.item)
		}
	}
	return items
}

// roomLocked tells whether OnRoom is due.
func (l *Link) roomLocked() bool {
	if !l.full || l.closed || l.queued.Load() >= l.maxQueue.Load()/2 {
		return false
	}
	l.full = false
	return l.cfg.OnRoom != nil
}

// gather takes units for one write: control, answers, requests, the rest. A
// frame is begun when there is credit for all of it, so that what is begun
// never waits for credit; while a request waits, nothing of the rest is begun.
func (l *Link) gather(out []byte, gone []meta, now time.Time) ([]byte, []meta) {
	out, l.control = takeUnits(out, l.control)
	if before := len(l.answers); before > 0 {
		out, l.answers = takeUnits(out, l.answers)
		if l.unitAt -= before - len(l.answers); l.unitAt < 0 {
			l.unitAt = -1
		}
	}
	dry, before := false, l.spent
	for i := range l.lanes {
		q := &l.lanes[i]
		for q.n > 0 {
			m := q.at(0)
			if m.dropped {
				q.pop()
				continue
			}
			if m.first && (dry || l.spent+uint64(m.size) > l.granted) {
				dry = true
				break
			}
			if len(out)+m.len > writeSize && len(out) > 0 {
				return out, gone
			}
			if m.first {
				l.spent += uint64(m.size)
			}
			taken := q.pop()
			taken.pos = len(out)
			out = append(out, taken.c.buf[taken.off:taken.off+taken.len]...)
			l.queued.Add(-int64(taken.len + frameCost))
			l.leave(taken.c, now)
			gone = append(gone, taken)
		}
	}
	if !dry || l.spent > before {
		l.beat.dry = time.Time{}
	} else if l.beat.dry.IsZero() {
		l.beat.dry = now
		l.armLocked(now.Add(l.cfg.Suspect))
	}
	return out, gone
}

// takeUnits moves whole units from q to out, while out is not full.
func takeUnits(out, q []byte) (_, rest []byte) {
	n := 0
	for n < len(q) {
		u := 4 + int(binary.BigEndian.Uint32(q[n:]))
		if len(out)+n+u > writeSize && len(out)+n > 0 {
			break
		}
		n += u
	}
	out = append(out, q[:n]...)
	if n == len(q) {
		return out, shrink(q)
	}
	return out, q[:copy(q, q[n:])]
}

// shrink empties a buffer, and lets go of one that a burst made large.
func shrink(b []byte) []byte {
	if cap(b) > 4*writeSize {
		return nil
	}
	return b[:0]
}

// dropStale takes out the frames of other nodes that have waited too long,
// wherever they stand. It tells when the next one will have; zero: none.
func (l *Link) dropStale(now time.Time, items []Item, gone []meta) ([]Item, []meta, time.Time) {
	var next time.Time
	for i := range l.lanes {
		q := &l.lanes[i]
		for ; q.swept < q.n; q.swept++ {
			m := q.at(q.swept)
			if m.dropped || m.item.Local || !m.first {
				continue
			}
			if due := m.at.Add(l.cfg.RelayWait); now.Before(due) {
				next = earlier(next, due)
				break
			}
			items = append(items, m.item)
			for k := q.swept; ; k++ { // its fragments stand together
				m := q.at(k)
				m.dropped = true
				q.dead++
				q.bytes -= m.len
				l.queued.Add(-int64(m.len + frameCost))
				l.leave(m.c, now)
				gone = append(gone, *m)
				if m.last {
					break
				}
			}
		}
		q.compact()
	}
	if len(items) > 0 {
		l.stats.Busy += uint64(len(items))
		l.ready.Signal() // the way may be free for those behind
	}
	return items, gone, next
}
