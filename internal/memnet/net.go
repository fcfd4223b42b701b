package memnet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// Errors of connections, as they are met on TCP.
var (
	ErrReset   = errors.New("connection reset")
	ErrRefused = errors.New("connection refused")
)

// backlog is how many connections wait for an Accept; more are refused. As
// Linux's default before 5.4.
const backlog = 128

// Config of a Net. The zero value is a network without latency.
type Config struct {
	// Latency is the time one way between two hosts, asked for once for each
	// direction of a connection. nil: none.
	Latency func(from, to uint64) time.Duration
	// Bandwidth bounds each direction of each connection, in bytes per second.
	// 0: no bound.
	Bandwidth int64
	// Buffer is how many unread bytes a direction of a connection holds before
	// Write blocks. Default 256 KiB.
	Buffer int
}

// Net joins the hosts that have a transport of it.
type Net struct {
	cfg Config

	mu        sync.Mutex
	listeners map[uint64]*listener
	pairs     map[*pair]struct{}
	silent    func(a, b uint64) bool
	changed   chan struct{} // closed when silent changes
}

// pair is a connection: two directions between a and b.
type pair struct {
	a, b   uint64
	ab, ba *half
	ends   int // not closed yet
}

// New makes a network without hosts.
func New(cfg Config) *Net {
	if cfg.Latency == nil {
		cfg.Latency = func(_, _ uint64) time.Duration { return 0 }
	}
	if cfg.Buffer <= 0 {
		cfg.Buffer = 256 << 10
	}
	return &Net{
		cfg: cfg, listeners: make(map[uint64]*listener), pairs: make(map[*pair]struct{}),
		silent: func(_, _ uint64) bool { return false }, changed: make(chan struct{}),
	}
}

// Addr is the address of a host.
func Addr(host uint64) ma.Multiaddr { return ma.StringCast(fmt.Sprintf("/memory/%d", host)) }

// Silence lets nothing cross between hosts of which between says so, in either
// direction, from now on; nil heals all. Bytes already on their way stop too.
// Nobody is told. What was held goes on its way, as if sent again, when the
// silence ends.
func (n *Net) Silence(between func(a, b uint64) bool) {
	if between == nil {
		between = func(_, _ uint64) bool { return false }
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent = func(a, b uint64) bool { return between(a, b) || between(b, a) }
	close(n.changed)
	n.changed = make(chan struct{})
	for p := range n.pairs {
		on := n.silent(p.a, p.b)
		p.ab.silence(on)
		p.ba.silence(on)
	}
}

// Cut resets the connections between two hosts, told at once to both, and
// returns how many there were. New ones can be made.
func (n *Net) Cut(a, b uint64) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	cut := 0
	for p := range n.pairs {
		if p.a == a && p.b == b || p.a == b && p.b == a {
			p.ab.reset()
			p.ba.reset()
			delete(n.pairs, p)
			cut++
		}
	}
	return cut
}

// Conns is the number of connections of which an end is open.
func (n *Net) Conns() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.pairs)
}

// dial takes a round trip, and lasts while there is silence.
func (n *Net) dial(ctx context.Context, from, to uint64) (*conn, error) {
	there, back := n.cfg.Latency(from, to), n.cfg.Latency(to, from)
	if err := n.cross(ctx, from, to, there); err != nil {
		return nil, err
	}
	c := n.join(from, to, there, back)
	if err := n.cross(ctx, from, to, back); err != nil {
		if c != nil {
			c.reset()
		}
		return nil, err
	}
	if c == nil {
		return nil, ErrRefused
	}
	return c, nil
}

// cross waits until something sent now has arrived.
func (n *Net) cross(ctx context.Context, from, to uint64, latency time.Duration) error {
	timer := time.NewTimer(latency)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		n.mu.Lock()
		silent, changed := n.silent(from, to), n.changed
		n.mu.Unlock()
		if !silent {
			return nil
		}
		select {
		case <-changed:
			timer.Reset(latency)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// join makes a connection and hands one end to the listener; nil is a refusal.
func (n *Net) join(from, to uint64, there, back time.Duration) *conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.listeners[to]
	if l == nil {
		return nil
	}
	p := &pair{a: from, b: to, ends: 2}
	p.ab, p.ba = newHalf(n.cfg, there), newHalf(n.cfg, back)
	select {
	case l.accept <- &conn{net: n, pair: p, in: p.ab, out: p.ba, local: to, remote: from}:
	default:
		return nil
	}
	n.pairs[p] = struct{}{}
	on := n.silent(from, to)
	p.ab.silence(on)
	p.ba.silence(on)
	return &conn{net: n, pair: p, in: p.ba, out: p.ab, local: from, remote: to}
}

// closed counts an end that is closed.
func (n *Net) closed(p *pair) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.ends--; p.ends == 0 {
		delete(n.pairs, p)
	}
}

// drop forgets a connection that was reset.
func (n *Net) drop(p *pair) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pairs, p)
}
