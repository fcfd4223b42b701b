package link

import (
	"context"
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

	mu      sync.Mutex
	ready   sync.Cond // something to write, or closed
	lanes   [2]lane   // requests; the rest
	control []byte    // units: credit, ping, pong, bye, withdraw
	answers []byte    // units: answers, grafts
	unitAt  int       // where the answers unit that is being filled starts; -1: none
	spent   uint64    // payload bytes sent
	granted uint64    // payload bytes we may send, since the start
	kept    []*chunk  // written, for resends
	free    []*chunk
	full    bool  // Send said busy: call OnRoom when half empty
	watched bool  // the monitor looks often
	fail    error // why the monitor shall end the link
	err     error
	closed  bool

	queued   atomic.Int64
	maxQueue atomic.Int64
	inFlight atomic.Int64
	owed     atomic.Uint64 // released and not yet granted
	credited uint64        // granted to the neighbour; under mu

	beat  heartbeat // under mu
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
	l.maxQueue.Store(int64(cfg.MaxQueue))
	l.beat.lastRecv = cfg.Now()
	return l
}

// Run moves frames until the link ends, and says why. It owns the goroutines
// of the link.
func (l *Link) Run() error {
	var wg sync.WaitGroup
	wg.Go(l.writer)
	wg.Go(l.monitor)
	l.Close(l.reader())
	wg.Wait()
	l.giveBack()
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

// Finish sends what is queued, closes our stream for writing, and returns when
// the neighbour has taken it all and ended the link, or with ctx.
func (l *Link) Finish(ctx context.Context) {
	every := time.NewTicker(2 * time.Millisecond)
	defer every.Stop()
	for !l.empty() {
		select {
		case <-l.done:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
	if w, ok := l.w.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
		select {
		case <-l.done:
		case <-ctx.Done():
		}
	}
}

// empty tells whether everything queued has been written.
func (l *Link) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready.Signal()
	return l.closed || len(l.control) == 0 && len(l.answers) == 0 && l.queued.Load() == 0 && l.beat.writing.IsZero()
}

// giveBack reports what was queued and never written.
func (l *Link) giveBack() {
	l.mu.Lock()
	var items []Item
	var from []meta
	for i := range l.lanes {
		q := &l.lanes[i]
		for q.n > 0 {
			m := q.pop()
			if m.first {
				items = append(items, m.item)
			}
			from = append(from, m)
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return Ref{}, mesh.ErrNotSent
	}
	if l.queued.Load()+int64(size) > l.maxQueue.Load() {
		l.full = true
		l.stats.Busy++
		return Ref{}, mesh.ErrBusy
	}
	q := &l.lanes[min(max(laneNo, 2), 3)-2]
	m := meta{at: l.cfg.Now(), item: item, first: true, last: true}
	l.beat.sent = m.at
	before := q.bytes
	var r Ref
	var head [mesh.HopHeaderLen]byte
	hop.Put(head[:])
	if size > maxBody {
		l.fragments(q, laneNo, m, head[:], rest)
	} else {
		c := l.put(q, KindFrame, m, nil, head[:], rest)
		r = Ref{c, c.gen, len(c.buf) - len(rest), len(rest)}
	}
	l.queued.Add(int64(q.bytes - before))
	l.wakeMonitor()
	l.stats.FramesOut++
	return r, nil
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
	if len(l.answers) > l.cfg.MaxControl || len(a.Body) > mesh.MaxAnswer-16 {
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
	if len(l.control) > l.cfg.MaxControl {
		l.fail = errControl
		l.wakeMonitor()
		return
	}
	l.control = append(l.control, unit...)
	l.ready.Signal()
}

// Release tells that the caller is done with payload bytes that came in.
func (l *Link) Release(n int) {
	if n == 0 {
		return
	}
	if owed := l.owed.Add(uint64(n)); owed < l.cfg.Window/4 {
		return
	}
	l.mu.Lock()
	if owed := l.owed.Swap(0); owed > 0 && !l.closed {
		l.credited += owed
		l.control = appendUnit64(l.control, KindCredit, l.credited)
		l.ready.Signal()
	}
	l.mu.Unlock()
}

// InFlight tells the heartbeat how many more frames, or fewer, are awaited.
func (l *Link) InFlight(delta int) {
	if n := l.inFlight.Add(int64(delta)); n == int64(delta) && n > 0 {
		l.mu.Lock()
		l.beat.busySince = l.cfg.Now()
		l.wakeMonitor()
		l.mu.Unlock()
	}
}

// SetMaxQueue changes the cap on payload bytes that wait.
func (l *Link) SetMaxQueue(n int) { l.maxQueue.Store(int64(n)) }

// Queued is the number of payload bytes that wait.
func (l *Link) Queued() int { return int(l.queued.Load()) }

// Stats gives the counters.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Queued, s.Credit, s.RTT, s.Suspect = l.Queued(), l.granted-l.spent, l.beat.srtt, l.beat.suspect
	return s
}

// wakeMonitor makes the monitor look often, if it does not already.
func (l *Link) wakeMonitor() {
	if l.watched && l.fail == nil {
		return
	}
	select {
	case l.poke <- struct{}{}:
	default:
	}
}
