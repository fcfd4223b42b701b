// Package pipe is an in-memory byte stream for tests: one way, with a buffer
// of bounded size, that can be told to stop taking bytes.
//
// It is not a network: nothing is lost, and time passes only where a test
// lets it.
package pipe

import (
	"errors"
	"io"
	"sync"
)

// Pipe is written at one end and read at the other.
type Pipe struct {
	mu      sync.Mutex
	changed sync.Cond
	buf     []byte
	max     int
	err     error
	stalled bool
}

// ErrReset is what both ends get after Reset.
var ErrReset = errors.New("stream reset")

// New makes a pipe that holds max bytes.
func New(max int) *Pipe {
	p := &Pipe{max: max}
	p.changed.L = &p.mu
	return p
}

// Write blocks while the buffer is full.
func (p *Pipe) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(b) > 0 {
		for p.err == nil && len(p.buf) >= p.max {
			p.changed.Wait()
		}
		if p.err != nil {
			return n, p.err
		}
		k := min(len(b), p.max-len(p.buf))
		p.buf = append(p.buf, b[:k]...)
		b, n = b[k:], n+k
		p.changed.Broadcast()
	}
	return n, nil
}

// Read blocks while the buffer is empty, or the pipe is stalled.
func (p *Pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.err == nil && (len(p.buf) == 0 || p.stalled) {
		p.changed.Wait()
	}
	if len(p.buf) == 0 || p.stalled {
		return 0, p.err
	}
	n := copy(b, p.buf)
	p.buf = p.buf[:copy(p.buf, p.buf[n:])]
	p.changed.Broadcast()
	return n, nil
}

// Stall makes the reader get nothing, as if its end had stopped reading.
func (p *Pipe) Stall(on bool) {
	p.mu.Lock()
	p.stalled = on
	p.changed.Broadcast()
	p.mu.Unlock()
}

// Reset ends the pipe at once, at both ends.
func (p *Pipe) Reset() error { return p.end(ErrReset) }

// Close ends the pipe; what is buffered can still be read.
func (p *Pipe) Close() error { return p.end(io.EOF) }

func (p *Pipe) end(err error) error {
	p.mu.Lock()
	if p.err == nil {
		p.err = err
		if err == ErrReset {
			p.buf = nil
		}
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	return nil
}
