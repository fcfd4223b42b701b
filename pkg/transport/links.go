package transport

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	multistream "github.com/multiformats/go-multistream"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const (
	pairTimeout  = 10 * time.Second // for the neighbour's stream, once ours is accepted
	stableLink   = 10 * time.Second // after which a link counts as a success
	longRefusal  = 5 * time.Minute  // another network, version, or a closed door
	shortRefusal = 5 * time.Second  // what may pass soon
	protectTag   = "meshnode/link"
	linkReason   = "meshnode link" // in libp2p's logs
)

// Link is a pair of streams with one neighbour, each opened, and after the
// hello written to, by one side only.
type Link struct {
	Peer     peer.ID
	Hello    mesh.Hello     // theirs
	Credit   uint64         // payload bytes they let us send before the first grant
	W        network.Stream // we write frames
	R        network.Stream // we read frames
	Conn     network.Conn   // of W
	Outbound bool           // we dialled Conn
}

// neighbour is what is known of one peer. A link is up when both its streams
// have been accepted. When either ends, both are reset and the link begins
// anew, after a delay that grows: both sides then agree that nothing is left
// of the old one.
type neighbour struct {
	id      peer.ID
	out     *outbound
	in      *inbound
	up      bool
	handed  network.Stream // W of the link that its user has
	since   time.Time
	opening bool          // a goroutine is at it
	hurry   chan struct{} // it should not wait longer
	tries   int           // since the last stable link
	refused error         // why, until when
	until   time.Time
	barred  bool // Disconnect was called
	waiters map[chan error]struct{}
}

type outbound struct {
	s       network.Stream
	welcome mesh.Welcome
}

type inbound struct {
	s     network.Stream
	hello mesh.Hello
}

func (t *Transport) neighbourLocked(p peer.ID) *neighbour {
	n := t.neighbours[p]
	if n == nil {
		n = &neighbour{id: p, hurry: make(chan struct{}, 1), waiters: make(map[chan error]struct{})}
		if len(t.neighbours) >= maxNeighbours {
			t.forgetLocked(t.idle, 1)
		}
		if len(t.neighbours) < maxNeighbours {
			t.neighbours[p] = n
		}
	}
	return n
}

// idle reports that nothing of a neighbour is in use.
func (t *Transport) idle(n *neighbour) bool {
	return n.out == nil && n.in == nil && !n.opening && !n.barred && len(n.waiters) == 0 && !t.connected(n.id)
}

// forgetLocked forgets up to max neighbours.
func (t *Transport) forgetLocked(which func(*neighbour) bool, max int) {
	for id, n := range t.neighbours {
		if max > 0 && which(n) {
			delete(t.neighbours, id)
			max--
		}
	}
}

// fullLocked reports that there is no room for this one. Peers that the
// operator named always have it.
func (t *Transport) fullLocked(n *neighbour) bool {
	return !n.up && t.linked >= t.profile.max && len(n.waiters) == 0 && !t.plan.named(n.id)
}

// wantLocked opens our stream to a connected neighbour, unless there is one,
// or a reason not to.
func (t *Transport) wantLocked(n *neighbour) {
	if t.closed || !t.started || n.opening || n.out != nil || n.barred || t.neighbours[n.id] != n ||
		time.Now().Before(n.until) || n.in == nil && t.fullLocked(n) {
		return
	}
	n.opening = true
	var delay time.Duration
	if n.tries > 0 {
		// Two sides that begin anew at the same time may undo each other's halves:
		// the delays part them, and stay short as long as that is the likely cause.
		most := time.Second
		if n.tries > 20 {
			most = 30 * time.Second
		}
		delay = backoff(n.tries, 50*time.Millisecond, most, t.plan.random())
	}
	t.wg.Go(func() { t.open(n, delay) })
}

// open waits, says hello, and takes the answer in.
func (t *Transport) open(n *neighbour, delay time.Duration) {
	var s network.Stream
	var w *mesh.Welcome
	err := t.pause(n, delay)
	if err == nil {
		s, w, err = t.hello(n.id)
		<-t.opening
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n.opening = false
	switch {
	case err != nil:
		t.log.Debug("link not opened", "peer", n.id, "err", err)
		n.tries++
		t.dropInLocked(n)
		// What identify said of a node that has just started may be older than
		// its protocols: ask twice before believing it.
		if n.tries > 1 && errors.As(err, new(multistream.ErrNotSupported[protocol.ID])) {
			t.settleLocked(n, fmt.Errorf("it speaks libp2p, but not %s: is it a meshnode, and of this version? %w", ProtocolID, mesh.ErrVersion))
		}
		t.againLocked(n)
	case w.Status != mesh.StatusOK:
		t.counters.refused.Add(1)
		t.toldLocked(n, w)
	case n.barred || t.closed:
		t.resetLocked(s)
	case limited(s) && t.host.Network().Connectedness(n.id) == network.Connected: // direct since
		t.resetLocked(s)
		t.wantLocked(n)
	default:
		if n.in != nil && n.in.hello.Instance != w.Instance { // of its life before a restart
			t.dropInLocked(n)
		}
		n.out = &outbound{s, *w}
		if !n.up {
			s.SetReadDeadline(time.Now().Add(pairTimeout))
		}
		t.wg.Go(func() { t.watch(n, s) })
		t.pairLocked(n)
	}
}

// pause waits for the delay and for a turn; after nil a token is to be given back.
func (t *Transport) pause(n *neighbour, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-n.hurry:
	case <-t.ctx.Done():
		return errClosed
	}
	select {
	case t.opening <- struct{}{}:
		return nil
	case <-t.ctx.Done():
		return errClosed
	}
}

// watch notices the end of our stream: after the welcome nothing comes on it.
func (t *Transport) watch(n *neighbour, s network.Stream) {
	for {
		_, err := s.Read(make([]byte, 1))
		t.mu.Lock()
		current := n.out != nil && n.out.s == s
		if current && n.up && err != nil && os.IsTimeout(err) { // the link came up just then
			t.mu.Unlock()
			continue
		}
		if current {
			t.downLocked(n)
			n.tries++
			t.againLocked(n)
		}
		t.mu.Unlock()
		return
	}
}

// accepted takes in a stream whose hello we have accepted. When a link is up,
// the neighbour has given it up, and so do we.
func (t *Transport) accepted(p peer.ID, s network.Stream, h *mesh.Hello) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.neighbourLocked(p)
	if t.closed || n.barred || t.neighbours[p] != n {
		t.resetLocked(s)
		return
	}
	n.refused, n.until = nil, time.Time{}
	t.supersedeLocked(n, s.Conn(), h.Instance)
	if n.up || n.out != nil && n.out.welcome.Instance != h.Instance {
		t.downLocked(n)
	}
	t.dropInLocked(n)
	n.in = &inbound{s, *h}
	t.pairLocked(n)
	t.wantLocked(n)
	if n.opening {
		wake(n.hurry)
	}
}

// supersedeLocked closes the connections of the neighbour's life before a
// restart: they may look alive for a while, and new streams would go there.
func (t *Transport) supersedeLocked(n *neighbour, now network.Conn, instance uint64) {
	var old []network.Conn
	if n.out != nil && n.out.welcome.Instance != instance {
		old = append(old, n.out.s.Conn())
	}
	if n.in != nil && n.in.hello.Instance != instance {
		old = append(old, n.in.s.Conn())
	}
	for _, c := range old {
		if c != now {
			t.wg.Go(func() { c.Close() })
		}
	}
}

// pairLocked completes the link when both streams are there.
func (t *Transport) pairLocked(n *neighbour) {
	if n.up || n.out == nil || n.in == nil || n.out.welcome.Instance != n.in.hello.Instance {
		return
	}
	n.out.s.SetReadDeadline(time.Time{})
	n.up, n.since = true, time.Now()
	t.linked++
	t.counters.links.Add(1)
	t.plan.up(n.since, n.id)
	for _, key := range []string{"network/", "version/", "peer/"} {
		t.warn.clear(key + n.id.String())
	}
	t.host.ConnManager().Protect(n.id, protectTag)
	t.ready = append(t.ready, n.link())
	wake(t.up)
}

func (n *neighbour) link() Link {
	c := n.out.s.Conn()
	return Link{
		Peer: n.id, Hello: n.in.hello, Credit: n.out.welcome.Credit, W: n.out.s, R: n.in.s,
		Conn: c, Outbound: c.Stat().Direction == network.DirOutbound,
	}
}

// downLocked ends the link and both its streams.
func (t *Transport) downLocked(n *neighbour) {
	if n.up {
		n.up = false
		t.linked--
		now := time.Now()
		if now.Sub(n.since) >= stableLink {
			n.tries = 0
		}
		t.rememberLocked(n.id, now)
		t.plan.down(now, n.id)
		t.host.ConnManager().Unprotect(n.id, protectTag)
		wake(t.kick)
	}
	if n.out != nil {
		t.resetLocked(n.out.s)
		n.out, n.handed = nil, nil
	}
	t.dropInLocked(n)
}

func (t *Transport) dropInLocked(n *neighbour) {
	if n.in != nil {
		t.resetLocked(n.in.s)
		n.in = nil
	}
}

// againLocked begins the link anew if the neighbour is still connected.
func (t *Transport) againLocked(n *neighbour) {
	if t.connected(n.id) {
		t.wantLocked(n)
	} else {
		t.settleLocked(n, errLost)
	}
}

// resetLocked resets a stream outside the lock.
func (t *Transport) resetLocked(s network.Stream) {
	if t.closed { // the host does it
		return
	}
	t.wg.Go(func() { s.Reset() })
}

// refusedLocked ends what there is with a neighbour and leaves it alone for a
// while.
func (t *Transport) refusedLocked(n *neighbour, err error, wait time.Duration) {
	now := time.Now()
	n.refused, n.until = err, now.Add(wait)
	t.downLocked(n)
	t.plan.refused(n.id, n.until)
	t.settleLocked(n, err)
}

// toldLocked takes in a neighbour's refusal.
func (t *Transport) toldLocked(n *neighbour, w *mesh.Welcome) {
	if n.up || n.refused != nil && time.Now().Before(n.until) { // known from its own hello
		return
	}
	err := fmt.Errorf("refused by %s: %s: %w", n.id, w.Detail, orDenied(w.Status.Err()))
	wait := shortRefusal
	switch w.Status {
	case mesh.StatusWrongNetwork:
		wait = longRefusal
		t.tell("network/"+n.id.String(), fmt.Sprintf("neighbour %s refuses this node: %s", n.id, w.Detail))
	case mesh.StatusVersion:
		wait = longRefusal
		t.tell("version/"+n.id.String(), fmt.Sprintf("neighbour %s refuses this node: %s", n.id, w.Detail))
	case mesh.StatusDenied:
		wait = longRefusal
	case mesh.StatusConflict:
		t.tell("conflict/"+t.self.String(), fmt.Sprintf("neighbour %s refuses this node: another node uses its identity (%s); give one of the two its own identity file", n.id, t.self))
	}
	t.refusedLocked(n, err, wait)
}

func orDenied(err error) error {
	if err == nil { // a refusal with a status that says all is well
		return mesh.ErrDenied
	}
	return err
}

// settleLocked answers those who wait for the link.
func (t *Transport) settleLocked(n *neighbour, err error) {
	for ch := range n.waiters {
		ch <- err // has room for one
		delete(n.waiters, ch)
	}
}

// LinkClosed says that the user of a peer's link, the last one handed over, is
// done with it. Its streams are reset; a connected neighbour gets a new link,
// a wanted one is dialled. A newer link that is still to be handed over is
// left alone.
func (t *Transport) LinkClosed(p peer.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.neighbours[p]
	if n == nil || n.out == nil || n.out.s != n.handed {
		return
	}
	t.downLocked(n)
	n.tries++
	t.againLocked(n)
}

// deliverLoop hands links to their user, in order.
func (t *Transport) deliverLoop() {
	for {
		select {
		case <-t.up:
		case <-t.ctx.Done():
			return
		}
		for t.deliver() {
		}
	}
}

func (t *Transport) deliver() bool {
	t.mu.Lock()
	if len(t.ready) == 0 || t.closed {
		t.ready = nil
		t.mu.Unlock()
		return false
	}
	l := t.ready[0]
	t.ready = t.ready[1:]
	n, f := t.neighbours[l.Peer], t.onLink
	current := func() bool { return n != nil && n.up && n.out.s == l.W }
	ok := current()
	if ok {
		n.handed = l.W
	}
	t.mu.Unlock()
	if !ok {
		return true
	}
	t.log.Info("link up", "peer", l.Peer, "addr", l.Conn.RemoteMultiaddr(), "outbound", l.Outbound)
	f(l)
	t.mu.Lock()
	defer t.mu.Unlock()
	if current() {
		t.settleLocked(n, nil)
	}
	return true
}

func (t *Transport) connected(p peer.ID) bool {
	c := t.host.Network().Connectedness(p)
	return c == network.Connected || c == network.Limited
}

// limited reports that a stream crosses a relay that counts its bytes.
func limited(s network.Stream) bool { return s.Conn().Stat().Limited }

// closeConn closes a connection on which no link lives.
func (t *Transport) closeConn(c network.Conn) {
	t.mu.Lock()
	n := t.neighbours[c.RemotePeer()]
	used := n != nil && n.up && (n.out.s.Conn() == c || n.in.s.Conn() == c)
	t.mu.Unlock()
	if !used {
		c.Close()
	}
}
