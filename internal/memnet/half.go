package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// half is one direction of a connection.
type half struct {
	latency   time.Duration
	bandwidth int64
	max       int

	mu      sync.Mutex
	changed sync.Cond // anything below, or a timer has fired
	queue   []chunk
	size    int       // bytes in queue
	free    time.Time // when what was written has left the writer
	arrival *time.Timer
	silent  bool
	err     error     // both ends
	left    bool      // the writer has closed
	gone    bool      // the reader has closed
	told    time.Time // when the writer learns that
	readBy  deadline
	writeBy deadline
}

// chunk is what one Write put on the wire; without bytes it is the end.
type chunk struct {
	at time.Time // of arrival
	b  []byte
}

// deadline wakes who waits when it is over.
type deadline struct {
	at    time.Time // zero: none
	timer *time.Timer
}

func newHalf(cfg Config, latency time.Duration) *half {
	h := &half{latency: latency, bandwidth: cfg.Bandwidth, max: cfg.Buffer}
	h.changed.L = &h.mu
	return h
}

// Read blocks until bytes have arrived.
func (h *half) Read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.err != nil:
			return 0, h.err
		case h.readBy.over(now):
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case h.arrivedLocked(now):
			if len(h.queue[0].b) == 0 {
				return 0, io.EOF
			}
			return h.takeLocked(now, b), nil
		}
		h.armLocked(now)
		h.changed.Wait()
	}
}

func (h *half) arrivedLocked(now time.Time) bool {
	return len(h.queue) > 0 && !h.silent && !h.queue[0].at.After(now)
}

// takeLocked copies as much as has arrived.
func (h *half) takeLocked(now time.Time, b []byte) (n int) {
	for n < len(b) && h.arrivedLocked(now) && len(h.queue[0].b) > 0 {
		c := &h.queue[0]
		k := copy(b[n:], c.b)
		n += k
		if c.b = c.b[k:]; len(c.b) > 0 {
			break
		}
		h.queue[0] = chunk{}
		h.queue = h.queue[1:]
	}
	h.size -= n
	h.changed.Broadcast()
	return n
}

// Write blocks while the buffer is full.
func (h *half) Write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case h.left:
			return n, net.ErrClosed
		case h.err != nil:
			return n, h.err
		case h.gone && !h.silent && !h.told.After(now):
			return n, ErrReset
		case h.writeBy.over(now):
			return n, os.ErrDeadlineExceeded
		case n == len(b):
			return n, nil
		}
		if k := min(len(b)-n, h.max-h.size); k > 0 {
			h.sendLocked(now, append([]byte(nil), b[n:n+k]...))
			n += k
			continue
		}
		h.changed.Wait()
	}
}

// sendLocked puts bytes, or the end, on the wire.
func (h *half) sendLocked(now time.Time, b []byte) {
	h.size += len(b)
	if h.gone { // nobody reads them
		return
	}
	if h.free.Before(now) {
		h.free = now
	}
	if h.bandwidth > 0 {
		h.free = h.free.Add(time.Duration(len(b)) * time.Second / time.Duration(h.bandwidth))
	}
	h.queue = append(h.queue, chunk{h.free.Add(h.latency), b})
	if len(h.queue) == 1 {
		h.armLocked(now)
	}
}

// armLocked wakes the reader when the next chunk arrives.
func (h *half) armLocked(now time.Time) {
	if len(h.queue) == 0 || h.silent || h.err != nil {
		return
	}
	wait := h.queue[0].at.Sub(now)
	switch {
	case wait <= 0:
		h.changed.Broadcast()
	case h.arrival == nil:
		h.arrival = time.AfterFunc(wait, h.wake)
	default:
		h.arrival.Reset(wait)
	}
}

func (h *half) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed.Broadcast()
}

// leave ends the direction from the writer's side: the reader gets what is on
// its way, then the end.
func (h *half) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left || h.err != nil {
		h.left = true
		return
	}
	h.left = true
	h.writeBy.stop()
	h.sendLocked(time.Now(), nil)
	h.changed.Broadcast()
}

// abandon ends it from the reader's side, which the writer learns one latency
// later.
func (h *half) abandon() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone {
		return
	}
	h.gone, h.queue = true, nil
	h.readBy.stop()
	h.tellLocked()
	h.changed.Broadcast()
}

// tellLocked lets the writer know, one latency from now, that nobody reads.
func (h *half) tellLocked() {
	h.told = time.Now().Add(h.latency)
	h.stopLocked()
	if h.err == nil && !h.left {
		h.arrival = time.AfterFunc(h.latency, h.wake)
	}
}

// reset ends it at once for both.
func (h *half) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = ErrReset
	}
	h.queue, h.size = nil, 0
	h.stopLocked()
	h.readBy.stop()
	h.writeBy.stop()
	h.changed.Broadcast()
}

func (h *half) stopLocked() {
	if h.arrival != nil {
		h.arrival.Stop()
	}
}

// silence holds what is on its way, or lets it go, as if sent again.
func (h *half) silence(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	healed := h.silent && !on
	h.silent = on
	if !healed {
		return
	}
	now := time.Now()
	again := now.Add(h.latency)
	for i := range h.queue {
		if h.queue[i].at.Before(again) {
			h.queue[i].at = again
		}
	}
	if h.gone {
		h.tellLocked()
	}
	h.armLocked(now)
}

func (h *half) setDeadline(d *deadline, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.stop()
	d.at = at
	switch {
	case at.IsZero() || h.err != nil:
		return
	case !at.After(time.Now()):
		h.changed.Broadcast()
	case d.timer == nil:
		d.timer = time.AfterFunc(time.Until(at), h.wake)
	default:
		d.timer.Reset(time.Until(at))
	}
}

func (d *deadline) over(now time.Time) bool { return !d.at.IsZero() && !d.at.After(now) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}
