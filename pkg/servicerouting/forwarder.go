package servicerouting

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/ledger"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Forwarder runs the links and the handlers of one node on one network.
type Forwarder struct {
	cfg    Config
	self   peer.ID
	digest digester

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine of this package
	kick   chan struct{}  // the timer must look again

	mu     sync.Mutex // guards what follows; never held while a link sends
	r      *router.Router
	ports  map[router.Port]*neighbour
	peers  map[peer.ID]*neighbour
	alarm  time.Time // when the timer goroutine will wake
	closed bool

	handlers handlers
	records  records
	budget   budget
	counters counters
	draining atomic.Bool
}

// New makes a running Forwarder without links.
func New(cfg Config) (*Forwarder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	self, err := peer.IDFromPrivateKey(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("servicerouting: key: %w", err)
	}
	d, err := newDigester()
	if err != nil {
		return nil, fmt.Errorf("servicerouting: digest: %w", err)
	}
	seed := cfg.Seed
	if seed == 0 {
		var b [8]byte
		rand.Read(b[:])
		seed = binary.LittleEndian.Uint64(b[:])
	}
	cfg.Router.Network = cfg.Network
	f := &Forwarder{
		cfg: cfg, self: self, digest: d, kick: make(chan struct{}, 1),
		r:     router.New(self, cfg.Router, seed),
		ports: make(map[router.Port]*neighbour),
		peers: make(map[peer.ID]*neighbour),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.handlers.init(ledger.New(cfg.Ledger))
	f.budget.init(cfg.Pause, cfg.Resume)
	f.wg.Go(f.timer)
	return f, nil
}

// ID is this node.
func (f *Forwarder) ID() peer.ID { return f.self }

// decide runs one input through the router and carries out what it says.
// b is the batch whose frames the actions may name, nil when there is none.
func (f *Forwarder) decide(b *batch, input func(r *router.Router, now time.Time)) {
	f.mu.Lock()
	input(f.r, f.cfg.Now())
	acts := f.r.Take(nil)
	f.armLocked()
	f.mu.Unlock()
	f.perform(b, acts)
}

// armLocked wakes the timer goroutine when the router wants it earlier.
func (f *Forwarder) armLocked() {
	next := f.r.Next()
	if next.IsZero() || !f.alarm.IsZero() && !next.Before(f.alarm) {
		return
	}
	f.alarm = next
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

// timer calls the router when it wants to be called, and sweeps.
func (f *Forwarder) timer() {
	const every = time.Second
	sweep := f.cfg.Now().Add(every)
	t := time.NewTimer(every)
	defer t.Stop()
	for {
		f.mu.Lock()
		at := sweep
		if next := f.r.Next(); !next.IsZero() && next.Before(at) {
			at = next
		}
		f.alarm = at
		f.mu.Unlock()
		t.Reset(max(0, at.Sub(f.cfg.Now())))
		select {
		case <-f.ctx.Done():
			return
		case <-f.kick:
		case <-t.C:
		}
		now := f.cfg.Now()
		due := !now.Before(sweep)
		f.decide(nil, func(r *router.Router, now time.Time) {
			r.Tick(now)
			if due {
				r.Sweep(now)
			}
		})
		if due {
			sweep = now.Add(every)
			f.handlers.sweep(now)
			f.dropEnded()
			f.budget.wake()
		}
	}
}

// Drain refuses new work, for this node's handlers and from its publishers,
// and waits until what is in flight has ended.
func (f *Forwarder) Drain(ctx context.Context) error {
	f.draining.Store(true)
	f.decide(nil, func(r *router.Router, now time.Time) { r.Drain(now, true) })
	for {
		changed := f.handlers.changed()
		if f.InFlight() == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d messages still in flight: %w", f.InFlight(), ctx.Err())
		case <-changed:
		}
	}
}

// Undrain takes work again.
func (f *Forwarder) Undrain() {
	f.draining.Store(false)
	f.decide(nil, func(r *router.Router, now time.Time) { r.Drain(now, false) })
}

// Draining reports that new work is refused.
func (f *Forwarder) Draining() bool { return f.draining.Load() }

// InFlight is the number of messages in handlers and of publications without
// a final word.
func (f *Forwarder) InFlight() int {
	f.mu.Lock()
	pending := f.r.Pending()
	f.mu.Unlock()
	return pending + f.handlers.running()
}

// Goodbye tells the neighbours that this node leaves, and ends each link when
// all that is queued for it has been taken, or with ctx.
func (f *Forwarder) Goodbye(ctx context.Context) {
	f.mu.Lock()
	all := f.neighboursLocked()
	f.mu.Unlock()
	var wg sync.WaitGroup
	for _, n := range all {
		n.link.SendBye()
		wg.Go(func() { n.link.Finish(ctx) })
	}
	wg.Wait()
}

// Close ends all links and waits for every goroutine. Publications without a
// word end with ErrUnknown.
func (f *Forwarder) Close() error {
	f.mu.Lock()
	f.closed = true
	all := f.neighboursLocked()
	f.mu.Unlock()
	f.cancel()
	f.budget.wake()
	for _, n := range all {
		n.link.Close(mesh.ErrNotSent)
	}
	f.wg.Wait()
	return nil
}
