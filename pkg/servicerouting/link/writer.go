package link

import (
	"fmt"
	"time"
)

const writeSize = 64 << 10

// writer writes what is queued, the urgent first, in few large writes.
func (l *Link) writer() {
	out := make([]byte, 0, writeSize+maxUnit)
	var gone []meta
	for {
		l.mu.Lock()
		for !l.closed && !l.sendable() {
			l.ready.Wait()
		}
		if l.closed {
			l.mu.Unlock()
			return
		}
		now := l.cfg.Now()
		out, gone = l.gather(out[:0], gone[:0], now)
		l.beat.writing = now
		room := l.full && l.queued.Load() < l.maxQueue.Load()/2
		if room {
			l.full = false
		}
		l.mu.Unlock()

		release(gone)
		clear(gone)
		if room && l.cfg.OnRoom != nil {
			l.cfg.OnRoom()
		}
		n, err := l.w.Write(out)
		l.mu.Lock()
		l.beat.writing = time.Time{}
		l.stats.BytesOut += uint64(n)
		l.mu.Unlock()
		if err != nil {
			l.Close(fmt.Errorf("write: %w", err))
			return
		}
	}
}

// sendable tells whether there is something that may go now.
func (l *Link) sendable() bool {
	return len(l.control) > 0 || len(l.answers) > 0 || l.payable()
}

// payable tells whether the credit suffices for a payload unit.
func (l *Link) payable() bool {
	for i := range l.lanes {
		if q := &l.lanes[i]; q.n > 0 && l.spent+uint64(q.at(0).len) <= l.granted {
			return true
		}
	}
	return false
}

// gather takes units for one write: control, answers, requests, the rest.
func (l *Link) gather(out []byte, gone []meta, now time.Time) ([]byte, []meta) {
	out = append(out, l.control...)
	l.control = shrink(l.control)
	if len(l.answers) > 0 && len(out) < writeSize {
		out = append(out, l.answers...)
		l.answers, l.unitAt = shrink(l.answers), -1
	}
	for i := range l.lanes {
		q := &l.lanes[i]
		for q.n > 0 && len(out) < writeSize {
			m := q.at(0)
			if l.spent+uint64(m.len) > l.granted {
				break
			}
			l.spent += uint64(m.len)
			out = append(out, m.c.buf[m.off:m.off+m.len]...)
			taken := q.pop()
			l.queued.Add(-int64(taken.len + frameCost))
			gone = append(gone, taken)
			l.leave(taken.c, now)
		}
	}
	return out, gone
}

// shrink empties a buffer, and lets go of one that a burst made large.
func shrink(b []byte) []byte {
	if cap(b) > 4*writeSize {
		return nil
	}
	return b[:0]
}

// dropStale gives back frames of other nodes that have waited too long.
func (l *Link) dropStale(now time.Time) (items []Item, gone []meta) {
	for i := range l.lanes {
		q := &l.lanes[i]
		dropping := false
		for k := range q.n {
			m := q.at(k)
			if now.Sub(m.at) < l.cfg.RelayWait {
				break
			}
			if m.item.Local {
				continue
			}
			if m.first {
				dropping = true
				items = append(items, m.item)
			}
			if !dropping {
				continue // its first part is written
			}
			m.dropped = true
			l.queued.Add(-int64(m.len + frameCost))
			gone = append(gone, *m)
		}
	}
	if len(gone) > 0 {
		for i := range l.lanes {
			l.compact(&l.lanes[i], now)
		}
	}
	l.stats.Busy += uint64(len(items))
	return items, gone
}

// compact takes dropped units out of a lane, and lets go of their memory.
func (l *Link) compact(q *lane, now time.Time) {
	for range q.n {
		m := q.pop()
		if m.dropped {
			l.leave(m.c, now)
		} else {
			q.push(m)
		}
	}
}
