package link

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// slowest is what must cross the link within the time that cuts it, each way:
// about what one Write is given, because inside a Write nothing can be seen.
const slowest = 64 << 10

// heartbeat knows how long the link has made no progress. It decides on times
// given to it.
type heartbeat struct {
	recv    time.Time // last unit
	ack     time.Time // last unit that shows that the neighbour reads: answers, credit, pong
	since   time.Time // since when something is in flight
	writing time.Time // when the running write began; zero: none runs
	dry     time.Time // since when frames wait for credit and none comes; zero: none do

	pingNo  uint64
	waiting bool      // for the pong of pingNo
	pinged  time.Time // when it was sent
	after   uint64    // bytes that came after it
	step    uint64    // of these, after moved
	moved   time.Time // when slowest bytes more had come

	// deaf is until when this node did not listen: its Handler worked. stopped
	// is until when it did not run at all.
	deaf, stopped time.Time

	srtt    time.Duration
	suspect bool
}

// received takes n bytes of units. They may stand in front of a pong, a window
// of them at most; so far they excuse that it has not come.
func (b *heartbeat) received(n int, window uint64, now time.Time) {
	b.recv = now
	b.after += uint64(n)
	b.step += uint64(n)
	if b.step >= slowest && b.after <= window {
		b.step, b.moved = 0, now
	}
}

func (b *heartbeat) ping(now time.Time) uint64 {
	b.pingNo++
	b.waiting, b.pinged = true, now
	b.after, b.step = 0, 0
	return b.pingNo
}

func (b *heartbeat) pong(n uint64, now time.Time) {
	if !b.waiting || n != b.pingNo {
		return
	}
	b.waiting, b.ack = false, now
	if rtt := now.Sub(b.pinged); b.srtt == 0 {
		b.srtt = rtt
	} else { // RFC 6298, gain 1/8
		b.srtt += (rtt - b.srtt) / 8
	}
}

// stall is since when the link stands still, zero when it does not: the oldest
// of a ping without any sign of being read, a write without end, frames
// without credit, and silence while something is in flight.
func (b *heartbeat) stall(busy bool) (at time.Time) {
	if b.waiting {
		at = latest(b.pinged, b.ack, b.moved, b.deaf)
	}
	if busy {
		at = earlier(at, latest(b.recv, b.since, b.deaf))
	}
	if !b.writing.IsZero() {
		at = earlier(at, b.writing)
	}
	at = earlier(at, b.dry)
	if at.IsZero() {
		return at
	}
	return latest(at, b.stopped)
}

// pingDue is when to ping next, zero while a pong is awaited: soon when the
// neighbour should read and nothing says so, and now and then in any case.
func (b *heartbeat) pingDue(busy bool, quiet, idle time.Duration) time.Time {
	if b.waiting {
		return time.Time{}
	}
	due := b.pinged.Add(idle)
	if busy {
		due = earlier(due, latest(b.ack, b.since, b.deaf, b.stopped).Add(quiet))
	}
	if !b.writing.IsZero() {
		due = earlier(due, latest(b.ack, b.writing, b.deaf, b.stopped).Add(quiet))
	}
	return due
}

// latest of some times.
func latest(at time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if t.After(at) {
			at = t
		}
	}
	return at
}

// earlier of two times; zero is no time.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// monitor looks after the link: pings, suspicion, stale frames, kept chunks.
func (l *Link) monitor() {
	t := time.NewTimer(0)
	defer t.Stop()
	var items []Item
	var gone []meta
	for {
		select {
		case <-l.done:
			return
		case <-l.poke:
		case <-t.C:
		}
		now := l.cfg.Now()
		var next time.Time
		var why error
		items, gone, next, why = l.check(now, items[:0], gone[:0])
		clear(items)
		clear(gone)
		if why != nil {
			l.Close(why)
			return
		}
		t.Reset(next.Sub(now))
	}
}

// check does what is due and says when to look again. items and gone are
// scratch.
func (l *Link) check(now time.Time, items []Item, gone []meta) (_ []Item, _ []meta, next time.Time, why error) {
	l.mu.Lock()
	b := &l.beat
	busy := l.inFlight.Load() > 0
	l.excuseLocked(now)
	if l.queued.Load() == 0 {
		b.dry = time.Time{}
	}
	stall := b.stall(busy)
	switch {
	case l.fail != nil:
		why = l.fail
	case !stall.IsZero() && now.Sub(stall) >= l.cfg.Cut:
		why = fmt.Errorf("no progress for %v: %w", l.cfg.Cut, mesh.ErrTimeout)
	}
	if why != nil {
		l.mu.Unlock()
		return items, gone, next, why
	}
	suspect := !stall.IsZero() && now.Sub(stall) >= l.cfg.Suspect
	changed := suspect != b.suspect
	b.suspect = suspect
	if suspect && changed {
		l.stats.Suspects++
	}
	quiet := l.cfg.Suspect / 4
	if due := b.pingDue(busy, quiet, l.cfg.IdlePing); !due.IsZero() && !now.Before(due) {
		l.controlLocked(appendUnit64(nil, KindPing, b.ping(now)))
	}
	items, gone, next = l.dropStale(now, items, gone)
	next = earlier(next, l.expire(now))
	next = earlier(next, b.pingDue(busy, quiet, l.cfg.IdlePing))
	if stall = b.stall(busy); !stall.IsZero() {
		if !suspect {
			next = earlier(next, stall.Add(l.cfg.Suspect))
		}
		next = earlier(next, stall.Add(l.cfg.Cut))
	}
	if l.handling.Load() >= 0 {
		next = earlier(next, now.Add(quiet))
	}
	l.alarm = next
	room := l.roomLocked()
	l.mu.Unlock()

	release(gone)
	if len(items) > 0 {
		l.h.Unsent(l, items, mesh.StatusBusy)
	}
	if changed {
		l.h.Suspect(l, suspect)
	}
	if room {
		l.cfg.OnRoom()
	}
	return items, gone, next, nil
}

// excuseLocked keeps the link from blaming the neighbour for this node's own
// pauses: a process that was stopped, a Handler that works on one batch.
func (l *Link) excuseLocked(now time.Time) {
	if !l.alarm.IsZero() && now.Sub(l.alarm) > l.cfg.Suspect/2 {
		l.beat.stopped = now
	}
	if at := l.handling.Load(); at >= 0 && now.Sub(l.start.Add(time.Duration(at))) >= l.cfg.Suspect/4 {
		l.beat.deaf = now
	}
}

// armLocked makes the monitor look at a time, or earlier; zero: at once.
func (l *Link) armLocked(at time.Time) {
	if !at.Before(l.alarm) {
		return
	}
	l.alarm = at
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// movedLocked lets the monitor look when a suspect link makes progress.
func (l *Link) movedLocked() {
	if l.beat.suspect {
		l.armLocked(time.Time{})
	}
}
