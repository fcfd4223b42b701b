package transport

import (
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// duplicateAge is how long a second connection may be unused.
const duplicateAge = 30 * time.Second

func (t *Transport) subscribe() error {
	sub, err := t.host.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted),
		new(event.EvtPeerProtocolsUpdated),
		new(event.EvtPeerConnectednessChanged),
		new(event.EvtLocalAddressesUpdated),
	}, eventbus.BufSize(256))
	if err != nil {
		return fmt.Errorf("subscribe to events: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = sub
	return nil
}

// eventLoop only updates state: a slow subscriber would block the host.
func (t *Transport) eventLoop() {
	for {
		select {
		case <-t.ctx.Done():
			return
		case e, ok := <-t.events.Out():
			if !ok {
				return
			}
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				t.speaks(e.Peer, e.Protocols)
			case event.EvtPeerProtocolsUpdated:
				t.speaks(e.Peer, e.Added)
			case event.EvtPeerConnectednessChanged:
				t.connectedness(e.Peer, e.Connectedness)
			case event.EvtLocalAddressesUpdated:
				wake(t.moved)
			}
		}
	}
}

func (t *Transport) speaks(p peer.ID, protocols []protocol.ID) {
	if !slices.Contains(protocols, ProtocolID) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wantLocked(t.neighbourLocked(p))
}

func (t *Transport) connectedness(p peer.ID, c network.Connectedness) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.neighbours[p]
	switch {
	case n == nil:
	case !t.connected(p): // the event may be older than a new connection
		t.downLocked(n)
		t.settleLocked(n, errLost)
		n.tries = 0 // the plan decides when there is a next connection
	case c == network.Connected && n.out != nil && limited(n.out.s) && (t.self < p || n.in == nil || !limited(n.in.s)):
		// A direct connection beside the relayed one: streams do not move by
		// themselves. One side begins, unless the other has already moved.
		t.downLocked(n)
		t.wantLocked(n)
	}
}

// closeDuplicates closes connections beside those of a link that nothing has
// used: two nodes that dialled each other at once have two. One side does it.
func (t *Transport) closeDuplicates(now time.Time) {
	t.mu.Lock()
	var useless []network.Conn
	for id, n := range t.neighbours {
		if !n.up || id < t.self || now.Sub(n.since) < duplicateAge {
			continue
		}
		for _, c := range t.host.Network().ConnsToPeer(id) {
			if c != n.out.s.Conn() && c != n.in.s.Conn() && now.Sub(c.Stat().Opened) >= duplicateAge && len(c.GetStreams()) == 0 {
				useless = append(useless, c)
			}
		}
	}
	t.mu.Unlock()
	for _, c := range useless {
		c.Close()
	}
}

// housekeeping saves the known peers, closes needless connections and forgets neighbours of whom nothing
// is left.
func (t *Transport) housekeeping() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-t.ctx.Done():
			return
		case now := <-tick.C:
			t.saveKnown()
			t.closeDuplicates(now)
			t.mu.Lock()
			t.forgetLocked(func(n *neighbour) bool { return now.After(n.until) && t.idle(n) }, maxNeighbours)
			t.mu.Unlock()
		}
	}
}
