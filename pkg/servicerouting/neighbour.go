package servicerouting

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// neighbour is a link and what the forwarder keeps beside it.
type neighbour struct {
	f     *Forwarder
	port  router.Port
	peer  peer.ID
	link  *link.Link
	since time.Time
	batch batch // scratch of the reader

	mu      sync.Mutex
	refs    [256]ref      // where sent bytes may still be, by sequence number
	waiting []waitingSend // local frames that wait for room in the queue
	held    int           // their bytes
	ended   bool          // nothing may wait any more
	frames  int           // in flight, as last told to the link
}

type ref struct {
	seq uint64
	at  link.Ref
}

// waitingSend is a frame of a local publisher for which the link had no room.
type waitingSend struct {
	a   router.Action
	out *outgoing
}

// AddLink takes over a link's streams: frames are written to w and read from
// r, and credit is what the neighbour granted in its welcome. It replaces a
// link that the peer had, and returns when the link has ended, with the
// reason.
func (f *Forwarder) AddLink(p peer.ID, w io.Writer, r io.Reader, credit uint64) error {
	n := &neighbour{f: f, peer: p, since: f.cfg.Now()}
	n.batch.from = n
	cfg := f.cfg.Link
	cfg.Now = f.cfg.Now
	cfg.OnRoom = n.room
	n.link = link.New(cfg, w, r, credit, n)

	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		n.link.Close(mesh.ErrNotSent)
		return fmt.Errorf("link with %s: %w", p, mesh.ErrNotSent)
	}
	f.wg.Add(1)
	old := f.peers[p]
	n.port = f.r.LinkUp(f.cfg.Now(), p)
	f.peers[p], f.ports[n.port] = n, n
	share := f.shareLocked()
	all := f.neighboursLocked()
	acts := f.r.Take(nil)
	f.armLocked()
	f.mu.Unlock()
	defer f.wg.Done()
	for _, m := range all {
		m.link.SetMaxQueue(share)
	}
	if old != nil {
		old.link.Close(fmt.Errorf("replaced by a newer link: %w", mesh.ErrNotSent))
	}
	f.perform(nil, acts)
	f.handlers.notify()
	err := n.link.Run()
	if errors.Is(err, mesh.ErrTimeout) {
		f.counters.cutOff.Add(1)
	}

	f.mu.Lock()
	delete(f.ports, n.port)
	if f.peers[p] == n {
		delete(f.peers, p)
	}
	f.mu.Unlock()
	n.failWaiting() // first, since it was never sent; what was, LinkDown says
	f.decide(nil, func(r *router.Router, now time.Time) { r.LinkDown(now, n.port) })
	f.handlers.notify()
	return err
}

// shareLocked is what one link may queue: an eighth of the budget, less when
// there are many, and always room for one large frame.
func (f *Forwarder) shareLocked() int {
	return max(mesh.MaxFrame+64<<10, min(f.cfg.Link.MaxQueue, f.cfg.Pause/max(8, len(f.peers))))
}

func (f *Forwarder) share() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shareLocked()
}

func (f *Forwarder) neighboursLocked() []*neighbour {
	out := make([]*neighbour, 0, len(f.ports))
	for _, n := range f.ports {
		out = append(out, n)
	}
	return out
}

func (f *Forwarder) neighbour(p router.Port) *neighbour {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ports[p]
}

// Disconnect ends the link with a peer, if there is one.
func (f *Forwarder) Disconnect(p peer.ID) {
	f.mu.Lock()
	n := f.peers[p]
	f.mu.Unlock()
	if n != nil {
		n.link.Close(fmt.Errorf("disconnected: %w", mesh.ErrNotSent))
	}
}

// Linked reports that there is a link with a peer.
func (f *Forwarder) Linked(p peer.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peers[p] != nil
}

// Alive reports that the link with a peer made progress lately: nothing is
// overdue by it.
func (f *Forwarder) Alive(p peer.ID) bool {
	f.mu.Lock()
	n := f.peers[p]
	f.mu.Unlock()
	return n != nil && !n.link.Stats().Suspect
}

// remember keeps where the bytes of a frame are, for a resend.
func (n *neighbour) remember(seq uint64, at link.Ref) {
	n.mu.Lock()
	n.refs[seq%uint64(len(n.refs))] = ref{seq, at}
	n.mu.Unlock()
}

// retained appends the bytes once sent under a sequence number, if they are
// still there.
func (n *neighbour) retained(seq uint64, dst []byte) ([]byte, bool) {
	n.mu.Lock()
	r := n.refs[seq%uint64(len(n.refs))]
	n.mu.Unlock()
	if r.seq != seq {
		return dst, false
	}
	return n.link.Retained(r.at, dst)
}

// hold lets a local frame wait until the link has room. It refuses when as
// much waits already as the link may queue: a link that takes nothing must
// not use up the budget of all.
func (n *neighbour) hold(a router.Action, out *outgoing, share int) bool {
	n.mu.Lock()
	if n.ended || n.held+len(out.rest) > share {
		n.mu.Unlock()
		return false
	}
	n.waiting = append(n.waiting, waitingSend{a, out})
	n.held += len(out.rest)
	n.f.budget.add(len(out.rest))
	n.mu.Unlock()
	n.room() // there may have been some meanwhile
	return true
}

// takeWaiting takes the first waiting frame whose publication still lives.
func (n *neighbour) takeWaiting() (waitingSend, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.waiting) > 0 {
		w := n.waiting[0]
		n.waiting[0] = waitingSend{}
		n.waiting = n.waiting[1:]
		n.held -= len(w.out.rest)
		n.f.budget.add(-len(w.out.rest))
		if !w.out.ended.Load() {
			return w, true
		}
	}
	return waitingSend{}, false
}

// dropEnded lets go of frames that wait for room and whose publication has
// ended.
func (f *Forwarder) dropEnded() {
	f.mu.Lock()
	all := f.neighboursLocked()
	f.mu.Unlock()
	for _, n := range all {
		n.mu.Lock()
		kept := n.waiting[:0]
		for _, w := range n.waiting {
			if w.out.ended.Load() {
				n.held -= len(w.out.rest)
				f.budget.add(-len(w.out.rest))
			} else {
				kept = append(kept, w)
			}
		}
		clear(n.waiting[len(kept):])
		n.waiting = kept
		n.mu.Unlock()
	}
}

// room is called by the link when its queue has emptied by half.
func (n *neighbour) room() {
	for {
		w, ok := n.takeWaiting()
		if !ok {
			break
		}
		_, err := n.link.Send(int(w.a.Lane), &w.a.Hop, w.out.rest, link.Item{Seq: w.a.Hop.Seq, Local: true})
		if errors.Is(err, mesh.ErrBusy) {
			n.mu.Lock()
			n.waiting = append([]waitingSend{w}, n.waiting...)
			n.held += len(w.out.rest)
			n.f.budget.add(len(w.out.rest))
			n.mu.Unlock()
			break
		}
		if err != nil {
			n.f.refused(&w.a, mesh.StatusNotSent)
			continue
		}
		n.f.sent(w.a)
	}
	n.link.Flush()
	n.f.budget.wake()
}

// failWaiting tells the router that what waited was never sent.
func (n *neighbour) failWaiting() {
	n.mu.Lock()
	n.ended = true
	n.mu.Unlock()
	for {
		w, ok := n.takeWaiting()
		if !ok {
			return
		}
		n.f.refused(&w.a, mesh.StatusNotSent)
	}
}
