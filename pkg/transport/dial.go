package transport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const (
	maxDials       = 8
	dialTimeout    = 20 * time.Second
	connectTimeout = 30 * time.Second
	connectTries   = 3
	connectPause   = 200 * time.Millisecond
	lostTries      = 4
	missedDials    = 3 // before a named peer is worth a warning
)

// Connect dials a peer, a multiaddr that ends in /p2p/<peer ID>, and returns
// when the link is up and handed over. The peer is kept from then on, as if
// it were in Config.Peers. A refusal is found by errors.Is: ErrWrongNetwork,
// ErrVersion, ErrConflict, ErrDenied, ErrBusy. Without a deadline in ctx it
// gives up after 30 s.
func (t *Transport) Connect(ctx context.Context, addr string) (peer.ID, error) {
	info, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return "", fmt.Errorf("connect to %q: need a multiaddr like /ip4/192.0.2.7/tcp/%d/p2p/12D3Koo…: %w", addr, DefaultPort, err)
	}
	if info.ID == t.self {
		if err := t.sawSelf(info.Addrs, "the address to connect to"); err != nil {
			return "", err
		}
		return "", fmt.Errorf("connect to %s: that is this node itself: %w", addr, mesh.ErrConflict)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, connectTimeout)
		defer cancel()
	}
	t.mu.Lock()
	n := t.neighbourLocked(info.ID)
	n.barred, n.refused, n.until, n.tries = false, nil, time.Time{}, 0
	t.plan.allow(time.Now(), info.ID)
	t.mu.Unlock()
	began := time.Now()
	err = t.dial(ctx, *info)
	// Two nodes that dial each other at the same moment can meet as two
	// clients (TCP's simultaneous open, RFC 9293 section 3.5), which fails for
	// both, and at once: try again, at another moment.
	for try := 1; try < connectTries && time.Since(began) < time.Second && errors.As(err, new(*swarm.DialError)); try++ {
		select {
		case <-time.After(time.Duration(randomFloat() * float64(connectPause))):
		case <-ctx.Done():
		}
		err = t.dial(ctx, *info)
	}
	if err != nil {
		return info.ID, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plan.add(time.Now(), info.ID, info.Addrs, fromUser)
	return info.ID, nil
}

// Disconnect closes every connection with a peer. Until Connect names it, or
// the node starts again, it is not dialled, and its links are refused.
func (t *Transport) Disconnect(p peer.ID) error {
	t.mu.Lock()
	_, wanted := t.plan.targets[p]
	if t.neighbours[p] == nil && !wanted {
		t.mu.Unlock()
		return fmt.Errorf("disconnect %s: no such neighbour: list them first", p)
	}
	n := t.neighbourLocked(p)
	n.barred = true
	t.plan.bar(p)
	t.downLocked(n)
	t.settleLocked(n, fmt.Errorf("disconnected: %w", mesh.ErrDenied))
	t.mu.Unlock()
	if err := t.host.Network().ClosePeer(p); err != nil {
		return fmt.Errorf("disconnect %s: %w", p, err)
	}
	return nil
}

// dial connects to a peer and waits for the link, or for why there is none. A
// connection that was there may be about to end, so it tries some times.
func (t *Transport) dial(ctx context.Context, info peer.AddrInfo) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	var err error
	for range lostTries {
		if err = t.dialOnce(ctx, info); !errors.Is(err, errLost) {
			break
		}
	}
	return err
}

func (t *Transport) dialOnce(ctx context.Context, info peer.AddrInfo) error {
	ch := make(chan error, 1)
	t.mu.Lock()
	if t.closed || !t.started {
		t.mu.Unlock()
		return fmt.Errorf("connect to %s: transport is not running", info.ID)
	}
	n := t.neighbourLocked(info.ID)
	if n.up {
		t.mu.Unlock()
		return nil
	}
	n.waiters[ch] = struct{}{}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(n.waiters, ch)
		t.mu.Unlock()
	}()

	t.counters.dials.Add(1)
	if s, ok := t.host.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(info.ID) // the plan has its own
	}
	if err := t.host.Connect(network.WithAllowLimitedConn(ctx, linkReason), info); err != nil {
		select {
		case refusal := <-ch: // came while the connection was set up
			if !errors.Is(refusal, errLost) {
				return fmt.Errorf("connect to %s: %w", info.ID, refusal)
			}
		default:
		}
		return t.dialError(info, err)
	}
	t.mu.Lock()
	refused := n.refused
	if time.Now().After(n.until) {
		refused = nil
	}
	t.wantLocked(n)
	t.mu.Unlock()
	if refused != nil { // before we began to wait
		return fmt.Errorf("connect to %s: %w", info.ID, refused)
	}
	select {
	case err := <-ch:
		if err != nil {
			return fmt.Errorf("connect to %s: %w", info.ID, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("connect to %s: connected, but no link came up: %w", info.ID, ctx.Err())
	case <-t.ctx.Done():
		return fmt.Errorf("connect to %s: %w", info.ID, errClosed)
	}
}

// dialError says what to try, and notices a node that has our key.
func (t *Transport) dialError(info peer.AddrInfo, err error) error {
	var other sec.ErrPeerIDMismatch
	if errors.As(err, &other) {
		if other.Actual == t.self {
			if e := t.sawSelf(info.Addrs, "the network"); e != nil {
				return fmt.Errorf("connect to %s: %w", info.ID, e)
			}
		}
		return fmt.Errorf("connect to %s: another node, %s, answers there: take the address from the node's own status: %w", info.ID, other.Actual, err)
	}
	hint := "check the address, and that the node runs and its port is open"
	if len(t.cfg.NetworkKey) != 0 {
		hint += "; a node with another network key, or none, does not answer either"
	}
	return fmt.Errorf("connect to %s: %s: %w", info.ID, hint, err)
}

// isOwn reports that an address is one this node listens on.
func (t *Transport) isOwn(a ma.Multiaddr) bool {
	listens, err := t.host.Network().InterfaceListenAddresses()
	if err != nil {
		return false
	}
	listens = append(listens, t.host.Addrs()...)
	_, port := ma.SplitFirst(a)
	return slices.ContainsFunc(listens, func(l ma.Multiaddr) bool {
		_, ours := ma.SplitFirst(l)
		return l.Equal(a) || manet.IsIPLoopback(a) && ours.Equal(port)
	})
}

// dialLoop dials whom the plan names.
func (t *Transport) dialLoop() {
	slots := make(chan struct{}, maxDials)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		t.mu.Lock()
		now := time.Now()
		due, again := t.plan.next(now, maxDials-len(slots))
		t.mu.Unlock()
		for _, info := range due {
			slots <- struct{}{}
			t.wg.Go(func() {
				t.tryDial(info)
				<-slots
				wake(t.kick)
			})
		}
		if again.IsZero() {
			again = now.Add(time.Minute)
		}
		timer.Reset(max(0, again.Sub(now)))
		select {
		case <-t.ctx.Done():
			return
		case <-t.kick:
		case <-timer.C:
		}
	}
}

func (t *Transport) tryDial(info peer.AddrInfo) {
	ctx, cancel := context.WithTimeout(t.ctx, dialTimeout)
	defer cancel()
	err := t.dial(ctx, info)
	t.mu.Lock()
	t.plan.failed(time.Now(), info.ID) // unless the link came up
	missed := t.plan.named(info.ID) && t.plan.targets[info.ID].tries >= missedDials
	t.mu.Unlock()
	if err == nil || t.ctx.Err() != nil {
		return
	}
	t.log.Debug("dial failed", "peer", info.ID, "err", err)
	if missed {
		t.tell("peer/"+info.ID.String(), fmt.Sprintf("peer %s of the configuration is not linked: %v", info.ID, err))
	}
}
