package link

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// heartbeat knows how long the link has made no progress. It decides on times
// given to it.
type heartbeat struct {
	lastRecv  time.Time // any byte came
	busySince time.Time // since when something is in flight
	writing   time.Time // when the running write began; zero: none runs
	pingNo    uint64
	pingAt    time.Time // when the unanswered ping was sent; zero: none is
	srtt      time.Duration
	suspect   bool
	sent      time.Time // when a frame was last queued
	noCredit  time.Time // since when a frame waits for credit and none comes; zero: none does
}

func (b *heartbeat) pong(n uint64, now time.Time) {
	if n != b.pingNo || b.pingAt.IsZero() {
		return
	}
	rtt := now.Sub(b.pingAt)
	b.pingAt = time.Time{}
	if b.srtt == 0 {
		b.srtt = rtt
	} else { // RFC 6298, gain 1/8
		b.srtt += (rtt - b.srtt) / 8
	}
}

// stalled is for how long something that should have happened has not: a
// pong, the end of a write, credit for what waits, any byte while frames are
// in flight.
func (b *heartbeat) stalled(now time.Time, busy bool) time.Duration {
	var d time.Duration
	if !b.pingAt.IsZero() {
		d = now.Sub(b.pingAt)
	}
	if !b.writing.IsZero() {
		d = max(d, now.Sub(b.writing))
	}
	if !b.noCredit.IsZero() {
		d = max(d, now.Sub(b.noCredit))
	}
	if busy {
		since := b.busySince
		if b.lastRecv.After(since) {
			since = b.lastRecv
		}
		d = max(d, now.Sub(since))
	}
	return d
}

// monitor looks after the link: pings, suspicion, stale frames, kept chunks.
func (l *Link) monitor() {
	t := time.NewTimer(l.cfg.IdlePing)
	defer t.Stop()
	for {
		next, why := l.check(l.cfg.Now())
		if why != nil {
			l.Close(why)
			return
		}
		t.Reset(next)
		select {
		case <-l.done:
			return
		case <-l.poke:
		case <-t.C:
		}
	}
}

// check does what is due and says when to look again.
func (l *Link) check(now time.Time) (next time.Duration, why error) {
	l.mu.Lock()
	items, gone := l.dropStale(now)
	l.expire(now)
	b := &l.beat
	busy := l.inFlight.Load() > 0 || l.queued.Load() > 0 || !b.writing.IsZero()
	silent := now.Sub(b.lastRecv)
	if b.pingAt.IsZero() && (silent >= l.cfg.IdlePing || busy && silent >= l.cfg.Suspect/4) && !l.closed {
		b.pingNo++
		b.pingAt = now
		l.control = appendUnit64(l.control, KindPing, b.pingNo)
		l.ready.Signal()
	}
	if owed := l.owed.Swap(0); owed > 0 { // what Release has not granted yet
		l.credited += owed
		l.control = appendUnit64(l.control, KindCredit, l.credited)
		l.ready.Signal()
	}
	if l.payable() || l.lanes[0].n+l.lanes[1].n == 0 {
		b.noCredit = time.Time{}
	} else if b.noCredit.IsZero() {
		b.noCredit = now
	}
	stalled := b.stalled(now, l.inFlight.Load() > 0)
	suspect := stalled >= l.cfg.Suspect
	changed := suspect != b.suspect
	b.suspect = suspect
	l.watched = l.queued.Load() > 0 || now.Sub(b.sent) < l.cfg.Suspect
	if l.fail != nil {
		why = l.fail
	}
	switch {
	case l.watched:
		next = l.cfg.RelayWait / 2
	case busy || !b.pingAt.IsZero():
		next = l.cfg.Suspect / 4
	default:
		next = max(l.cfg.IdlePing-silent, l.cfg.Suspect/4)
		if len(l.kept) > 0 {
			next = min(next, 2*time.Second)
		}
	}
	l.mu.Unlock()
	if why != nil {
		return 0, why
	}

	release(gone)
	if len(items) > 0 {
		l.h.Unsent(l, items, mesh.StatusBusy)
	}
	if stalled >= l.cfg.Cut {
		return 0, fmt.Errorf("no progress for %v: %w", l.cfg.Cut, mesh.ErrTimeout)
	}
	if changed {
		l.h.Suspect(l, suspect)
	}
	return next, nil
}

// progress notes that bytes came.
func (l *Link) progress(n int) {
	now := l.cfg.Now()
	l.mu.Lock()
	l.beat.lastRecv = now
	l.stats.BytesIn += uint64(n)
	l.mu.Unlock()
}
