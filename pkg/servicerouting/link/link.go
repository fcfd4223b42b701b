package link

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Frame is a whole frame as it came: Bytes may be changed in place, during
// the call; Size is what to Release when done with it.
type Frame struct {
	Bytes []byte
	Size  int
}

// Handler gets what comes by a link. Frames, Answers, Graft, Withdraw and Bye
// are called by the link's reader, one after the other; slices are valid
// during the call.
type Handler interface {
	Frames(l *Link, batch []Frame)
	Answers(l *Link, batch []mesh.Answer)
	Graft(l *Link, service string)
	Withdraw(l *Link, service string)
	Bye(l *Link)
	// Unsent gives back frames of which no byte was written: busy when one of
	// another node waited too long, not sent when the link ended.
	Unsent(l *Link, items []Item, why mesh.Status)
	// Suspect tells that the link makes no progress, or does again.
	Suspect(l *Link, suspect bool)
}

// Link is one neighbour's pair of streams. Send, Answer and the like never
// block.
type Link struct {
	cfg Config
	w   io.Writer
	r   io.Reader
	h   Handler

	start time.Time
	// handling is when the batch that the Handler works on was read, in
	// nanoseconds since start, or -1.
	handling atomic.Int64

	mu      sync.Mutex
	ready   sync.Cond // something to write, or closed
	lanes   [2]lane   // requests; the rest
	control []byte    // units: credit, ping, pong, bye, withdraw
	answers []byte    // units: answers, grafts
	unitAt  int       // where the answers unit that is being filled starts; -1: none
	spent   uint64    // frame bytes sent, or begun to be
	granted uint64    // frame bytes we may send, since the start
	kept    []*chunk  // written, for resends
	spare   []*chunk  // without memory; never more than were in use at once
	held    int       // memory of the chunks that are not kept
	full    bool      // Send said busy: call OnRoom when half empty
	fail    error     // why the monitor shall end the link
	err     error
	closed  bool

	queued   atomic.Int64
	maxQueue atomic.Int64
	inFlight atomic.Int64
	owed     atomic.Uint64 // released and not yet granted
	credited uint64        // granted to the neighbour; under mu
	creditAt time.Time     // when the last credit went out with traffic; under mu
	received uint64        // frame bytes that came; under mu

	beat  heartbeat // under mu
	alarm time.Time // when the monitor will look; under mu
	poke  chan struct{}
	stats Stats // under mu, but for what is above
	done  chan struct{}
	once  sync.Once
}

// New makes a link; credit is what the neighbour granted in its welcome.
func New(cfg Config, w io.Writer, r io.Reader, credit uint64, h Handler) *Link {
	l := &Link{
		cfg: cfg, w: w, r: r, h: h, granted: credit, credited: cfg.Window, unitAt: -1,
		poke: make(chan struct{}, 1), done: make(chan struct{}),
	}
	l.ready.L = &l.mu
	l.maxQueue.Store(int64(max(cfg.MaxQueue, minQueue)))
	l.start = cfg.Now()
	l.handling.Store(-1)
	l.beat = heartbeat{recv: l.start, pinged: l.start}
	return l
}

// Run moves frames until the link ends, and says why. It owns the goroutines
// of the link.
func (l *Link) Run() error {
	if l.granted < MinWindow {
		l.Close(fmt.Errorf("the neighbour granted %d bytes, the least is %d: %w", l.granted, MinWindow, mesh.ErrMalformed))
	}
	var wg sync.WaitGroup
	var left []Item
	wg.Go(func() { left = l.writer() })
	wg.Go(l.monitor)
	l.Close(l.reader())
	wg.Wait()
	l.giveBack(left)
	return l.err
}

// Close ends the link, for the reason given.
func (l *Link) Close(why error) {
	l.once.Do(func() {
		l.mu.Lock()
		l.closed, l.err = true, why
		l.ready.Broadcast()
		l.mu.Unlock()
		close(l.done)
		for _, s := range []any{l.w, l.r} {
			switch s := s.(type) {
			case interface{ Reset() error }:
				_ = s.Reset()
			case io.Closer:
				_ = s.Close()
			}
		}
	})
}

// giveBack reports what was queued and never written: items, of the write
// that failed, and what is still queued.
func (l *Link) giveBack(items []Item) {
	l.mu.Lock()
	var from []meta
	for i := range l.lanes {
		q := &l.lanes[i]
		for q.n > 0 {
			if m := q.pop(); !m.dropped {
				if m.first {
					items = append(items, m.item)
				}
				from = append(from, m)
			}
		}
	}
	l.queued.Store(0)
	l.mu.Unlock()
	release(from)
	if len(items) > 0 {
		l.h.Unsent(l, items, mesh.StatusNotSent)
	}
}

func release(gone []meta) {
	for _, m := range gone {
		if m.item.From != nil && m.last {
			m.item.From.Release(m.item.Size)
		}
	}
}

// Send queues a frame: its hop header, and what follows it. Lane 2 goes
// before lane 3. It goes out with the next Flush. Errors: mesh.ErrBusy,
// mesh.ErrNotSent.
func (l *Link) Send(laneNo int, hop *mesh.HopHeader, rest []byte, item Item) (Ref, error) {
	size := mesh.HopHeaderLen + len(rest)
	if size > mesh.MaxFrame {
		return Ref{}, mesh.ErrTooLarge
	}
	laneNo = min(max(laneNo, 2), 3)
	m := meta{item: item, size: size, first: true, last: true}
	if !item.Local {
		m.at = l.since(item.From)
	}
	var head [mesh.HopHeaderLen]byte
	hop.Put(head[:])
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return Ref{}, mesh.ErrNotSent
	}
	if !l.fits(size) {
		l.full = true
		l.stats.Busy++
		return Ref{}, mesh.ErrBusy
	}
	q := &l.lanes[laneNo-2]
	var r Ref
	before, units := q.bytes, q.n
	if size > maxBody {
		r = l.fragments(q, laneNo, m, head[:], rest)
	} else {
		r = l.put(q, KindFrame, m, nil, head[:], rest)
	}
	l.queued.Add(int64(q.bytes - before + (q.n-units)*frameCost))
	if !item.Local {
		l.armLocked(m.at.Add(l.cfg.RelayWait))
	}
	return r, nil
}

// since is when a frame began to wait. What is sent while a link hands over a
// batch, and came by it, is as old as the batch: that saves a reading of the
// clock for each frame.
func (l *Link) since(from *Link) time.Time {
	if from != nil {
		if at := from.handling.Load(); at >= 0 {
			return from.start.Add(time.Duration(at))
		}
	}
	return l.cfg.Now()
}

// Flush lets what was queued by Send and Answer go. One call for a batch of
// them makes few and large writes.
func (l *Link) Flush() {
	l.mu.Lock()
	l.ready.Signal()
	l.mu.Unlock()
}

// Answer queues an answer, for the next Flush. Many go in one unit.
func (l *Link) Answer(a *mesh.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(l.answers)+unitHead+16+len(a.Body) > l.cfg.MaxControl || len(a.Body) > mesh.MaxAnswer-16 {
		l.stats.Dropped++
		return
	}
	if l.unitAt >= 0 && len(l.answers)-l.unitAt+16+len(a.Body) > maxBody {
		l.unitAt = -1
	}
	if l.unitAt < 0 {
		l.unitAt = len(l.answers)
		l.answers = append(l.answers, 0, 0, 0, 0, byte(KindAnswers))
	}
	l.answers = a.Append(l.answers)
	putLen(l.answers[l.unitAt:])
}

func putLen(unit []byte) {
	n := len(unit) - 4
	unit[0], unit[1], unit[2], unit[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

// Graft asks for floods of a service again; empty means all. It keeps its
// place among the answers.
func (l *Link) Graft(service string) {
	b, err := mesh.EncodeGraft(service)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.answers) > l.cfg.MaxControl {
		return
	}
	l.unitAt = -1
	l.answers = appendUnit(l.answers, KindGraft, b)
	l.ready.Signal()
}

// Withdraw tells that a service is no longer served here.
func (l *Link) Withdraw(service string) {
	if b, err := mesh.EncodeWithdraw(service); err == nil {
		l.mu.Lock()
		l.controlLocked(appendUnit(nil, KindWithdraw, b))
		l.mu.Unlock()
	}
}

// SendBye tells that this node is about to leave.
func (l *Link) SendBye() {
	l.mu.Lock()
	l.controlLocked(appendUnit(nil, KindBye, nil))
	l.mu.Unlock()
}

var errControl = fmt.Errorf("the neighbour takes no control messages: %w", mesh.ErrBusy)

func (l *Link) controlLocked(unit []byte) {
	if l.closed {
		return
	}
	if len(l.control)+len(unit) > l.cfg.MaxControl {
		l.fail = errControl
		l.armLocked(time.Time{})
		return
	}
	l.control = append(l.control, unit...)
	l.ready.Signal()
}

// Release tells that the caller is done with payload bytes that came in.
func (l *Link) Release(n int) {
	if n <= 0 {
		return
	}
	if owed := l.owed.Add(uint64(n)); owed < l.cfg.Window/4 {
		return
	}
	l.mu.Lock()
	l.creditLocked()
	l.mu.Unlock()
}

// grantLocked gives back little credit too when none was for a while: it shows
// a slow neighbour that its bytes are read.
func (l *Link) grantLocked(now time.Time) {
	if l.owed.Load() > 0 && now.Sub(l.creditAt) >= l.cfg.Suspect/4 {
		l.creditAt = now
		l.creditLocked()
	}
}

func (l *Link) creditLocked() {
	if owed := l.owed.Swap(0); owed > 0 && !l.closed {
		// More than came in is a mistake of the caller, not credit.
		l.credited = min(l.credited+owed, l.received+l.cfg.Window)
		l.control = appendUnit64(l.control, KindCredit, l.credited)
		l.ready.Signal()
	}
}

// InFlight tells the heartbeat how many more frames, or fewer, are awaited.
func (l *Link) InFlight(delta int) {
	if n := l.inFlight.Add(int64(delta)); n == int64(delta) && n > 0 {
		l.mu.Lock()
		l.beat.since = l.cfg.Now()
		l.armLocked(l.beat.since.Add(l.cfg.Suspect / 4))
		l.mu.Unlock()
	}
}

// SetMaxQueue changes Config.MaxQueue.
func (l *Link) SetMaxQueue(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maxQueue.Store(int64(max(n, minQueue)))
	l.armLocked(time.Time{}) // there may be room now
}

// Queued is the number of bytes that wait to be sent, as MaxQueue counts them.
func (l *Link) Queued() int { return int(l.queued.Load()) }

// Stats gives the counters.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Queued, s.Credit, s.RTT, s.Suspect = l.Queued(), l.granted-l.spent, l.beat.srtt, l.beat.suspect
	s.LastRecv = l.beat.recv
	return s
}
