package transport

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// ProtocolID of the streams that make up a link.
const ProtocolID protocol.ID = "/meshnode/route/1.0.0"

const (
	maxOpening    = 64   // hellos being sent at a time
	maxAccepting  = 256  // hellos being answered, or refused, at a time
	maxNeighbours = 4096 // peers of which anything is kept
	closeTimeout  = 10 * time.Second
)

var (
	errClosed = errors.New("transport is closed")
	errLost   = errors.New("the connection was lost before the link came up")
)

// Transport is a node's host and its links on one network.
type Transport struct {
	cfg      Config
	log      *slog.Logger
	self     peer.ID
	network  mesh.Network
	instance uint64
	profile  profile
	host     host.Host
	mdnsName string

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup // every goroutine of this package, and its stream handlers
	warn     warnings
	opening  chan struct{} // a token per hello being sent
	accept   chan struct{} // a token per hello being answered
	kick     chan struct{} // the dial loop must look again
	up       chan struct{} // there is something in ready
	moved    chan struct{} // the host's addresses changed
	events   event.Subscription
	counters struct{ junk, refused, links, dials atomic.Uint64 }

	closing  sync.Once
	closeErr error

	mu         sync.Mutex // guards what follows; never held over IO
	onLink     func(Link)
	started    bool
	closed     bool
	neighbours map[peer.ID]*neighbour
	linked     int // neighbours that are up
	ready      []Link
	plan       *plan
	known      map[peer.ID]remembered
	knownNew   bool
}

// New builds the host. Nothing listens and nothing is dialled before Start, so
// that the caller can register its own protocols first. ctx bounds the
// building only.
func New(ctx context.Context, cfg Config) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	key := cfg.Identity
	if key == nil {
		var err error
		if key, err = GenerateIdentity(); err != nil {
			return nil, fmt.Errorf("transport: %w", err)
		}
	}
	if cfg.Agent == "" {
		cfg.Agent = "meshnode"
	}
	if cfg.Alive == nil {
		cfg.Alive = func(peer.ID) bool { return true }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h, err := newHost(&cfg, key)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	t := &Transport{
		cfg: cfg, log: cfg.Logger.With("part", "transport"),
		self: h.ID(), host: h,
		network:    mesh.NetworkOf(cfg.Network, cfg.NetworkKey),
		instance:   randomUint64(),
		profile:    profiles[cfg.Profile],
		mdnsName:   fmt.Sprintf("%016x%016x", randomUint64(), randomUint64()),
		opening:    make(chan struct{}, maxOpening),
		accept:     make(chan struct{}, maxAccepting),
		kick:       make(chan struct{}, 1),
		up:         make(chan struct{}, 1),
		moved:      make(chan struct{}, 1),
		neighbours: make(map[peer.ID]*neighbour),
		known:      make(map[peer.ID]remembered),
	}
	t.plan = newPlan(t.self, t.profile.degree, randomFloat)
	t.ctx, t.cancel = context.WithCancel(context.Background())
	h.SetStreamHandler(ProtocolID, t.handle)
	return t, nil
}

// Host gives the libp2p host. It is closed by Close.
func (t *Transport) Host() host.Host { return t.host }

// Network is the key hash of the network.
func (t *Transport) Network() mesh.Network { return t.network }

// Instance is the number drawn by this start of the node.
func (t *Transport) Instance() uint64 { return t.instance }

// Addrs gives the addresses at which the node can be dialled, each with its
// peer ID. There are none before Start.
func (t *Transport) Addrs() []string {
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: t.self, Addrs: t.host.Addrs()})
	if err != nil {
		return nil
	}
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return out
}

// Warnings gives what an operator should know, a sentence each: an address
// that could not be used, a silent mDNS, a neighbour of another network, an
// identity in use twice.
func (t *Transport) Warnings() []string { return t.warn.list(time.Now()) }

// Counters gives totals since the start: links that came up, dials made,
// hellos refused by either side, and streams that carried junk.
func (t *Transport) Counters() map[string]uint64 {
	return map[string]uint64{
		"links_up":       t.counters.links.Load(),
		"dials":          t.counters.dials.Load(),
		"hellos_refused": t.counters.refused.Load(),
		"hellos_junk":    t.counters.junk.Load(),
	}
}

// OnLink sets who gets the links; before Start. f is called for one link at a
// time and must return soon.
func (t *Transport) OnLink(f func(Link)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onLink = f
}

// Start listens, accepts links, and begins to look for neighbours. After an
// error nothing listens, and the Transport is to be closed.
func (t *Transport) Start() error {
	t.mu.Lock()
	switch {
	case t.closed:
		t.mu.Unlock()
		return fmt.Errorf("transport: start: %w", errClosed)
	case t.started:
		t.mu.Unlock()
		return errors.New("transport: started already")
	case t.onLink == nil:
		t.mu.Unlock()
		return errors.New("transport: start: OnLink was not called")
	}
	t.started = true
	t.mu.Unlock()

	peers, err := t.cfg.peers()
	if err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	if err := t.subscribe(); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	if err := t.listen(); err != nil {
		t.events.Close()
		return fmt.Errorf("transport: %w", err)
	}
	t.loadKnown()

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("transport: start: %w", errClosed)
	}
	now := time.Now()
	for _, info := range peers {
		if info.ID == t.self {
			t.sawSelf(info.Addrs, "the list of peers")
			continue
		}
		t.plan.add(now, info.ID, info.Addrs, fromUser)
	}
	for id, r := range t.known {
		t.plan.add(now, id, r.addrs(), fromFile)
	}
	for _, p := range t.host.Network().Peers() { // connected before Start
		t.wantLocked(t.neighbourLocked(p))
	}
	t.wg.Go(t.eventLoop)
	t.wg.Go(t.deliverLoop)
	t.wg.Go(t.dialLoop)
	t.wg.Go(t.housekeeping)
	if t.cfg.MDNS {
		t.wg.Go(t.mdnsLoop)
	}
	return nil
}

// Close ends all links and the host, and waits for every goroutine, 10 s at
// most. Further calls return what the first did.
func (t *Transport) Close() error {
	t.closing.Do(func() {
		t.mu.Lock()
		t.closed = true
		started, events := t.started, t.events
		for _, n := range t.neighbours {
			t.settleLocked(n, errClosed)
		}
		t.mu.Unlock()
		t.cancel()
		if started {
			t.saveKnown()
		}
		done := make(chan error, 1)
		go func() {
			if events != nil {
				events.Close()
			}
			err := t.host.Close()
			t.wg.Wait()
			done <- err
		}()
		timer := time.NewTimer(closeTimeout)
		defer timer.Stop()
		select {
		case err := <-done:
			if err != nil {
				t.closeErr = fmt.Errorf("transport: close host: %w", err)
			}
		case <-timer.C:
			t.closeErr = fmt.Errorf("transport: close: still busy after %v", closeTimeout)
		}
	})
	return t.closeErr
}

// enter counts a goroutine that this package did not start; false means that
// it is too late.
func (t *Transport) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.wg.Add(1)
	return true
}

// sawSelf warns of an address that is said, or found, to be this node and is
// not among its own.
func (t *Transport) sawSelf(addrs []ma.Multiaddr, where string) error {
	for _, a := range addrs {
		if t.isOwn(a) {
			continue
		}
		text := fmt.Sprintf("%s has %s with the identity of this node (%s): two nodes must not share a key; give one of them its own identity file", where, a, t.self)
		t.tell("conflict/"+t.self.String(), text)
		return fmt.Errorf("%s: %w", text, mesh.ErrConflict)
	}
	return nil
}

// tell adds a warning, and logs it when it is new.
func (t *Transport) tell(key, text string) {
	if t.warn.set(time.Now(), key, text) {
		t.log.Warn(text)
	}
}

// wake sends to a channel of one place that its receiver has work.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func randomUint64() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func randomFloat() float64 { return float64(randomUint64()>>11) / (1 << 53) }
