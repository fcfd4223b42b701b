package router

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Router holds what one node knows. It is not safe for concurrent use.
type Router struct {
	self     peer.ID
	cfg      Config
	rand     *rand.Rand
	draining bool

	ports    []*port // in the order they came up
	byPort   map[Port]*port
	byPeer   map[peer.ID]*port
	lastPort Port

	seen      *seen
	routes    routes
	local     map[string][]mesh.Attributes
	providers map[string][]*provider
	negative  map[string]negative
	prunes    prunes

	pubs      map[mesh.ID]*Pub
	wakes     wakeHeap
	probes    map[probeKey]*probe
	probeByNo map[uint64]*probe
	lastProbe uint64
	lastWake  uint64
	able      []able // scratch of candidates
	wanted    map[string]*wanted
	asked     map[string]bool       // services that this node has sent to
	searches  map[searchKey]*branch // those that probes from others may follow
	lost      map[peer.ID]lost
	asks      allowance

	actions []Action
	stats   Stats
}

// Stats counts what happened since the start.
type Stats struct {
	Forwarded, Delivered, Duplicates, Expired, Malformed uint64
	NoRoute, Rerouted, Probes, Floods, Pruned, Stray     uint64
	// Named counts providers named in answers to others' probes, Joined the
	// probes that followed another one, Asked those of this node in the
	// background.
	Named, Joined, Asked uint64
}

// port is a link as the router sees it.
type port struct {
	no       Port
	peer     peer.ID
	closed   bool
	suspect  bool
	leaving  bool // said goodbye: other ways first
	inflight inflight

	lastOrigin peer.ID // what was learned last, to learn it once
	lastHops   uint8
	lastLearn  time.Time
	lastProven peer.ID // likewise of answers
	provenHops uint8
	provenAt   time.Time
}

// New makes the router of node self. The seed settles every random choice.
func New(self peer.ID, cfg Config, seed uint64) *Router {
	return &Router{
		self:      self,
		cfg:       cfg,
		rand:      rand.New(rand.NewPCG(seed, 0x6d6573686e6f6465)),
		byPort:    make(map[Port]*port),
		byPeer:    make(map[peer.ID]*port),
		seen:      newSeen(cfg.MaxSeen),
		routes:    routes{by: make(map[peer.ID]*dest)},
		local:     make(map[string][]mesh.Attributes),
		providers: make(map[string][]*provider),
		negative:  make(map[string]negative),
		prunes:    newPrunes(),
		pubs:      make(map[mesh.ID]*Pub),
		probes:    make(map[probeKey]*probe),
		probeByNo: make(map[uint64]*probe),
		wanted:    make(map[string]*wanted),
		asked:     make(map[string]bool),
		searches:  make(map[searchKey]*branch),
		lost:      make(map[peer.ID]lost),
	}
}

// Take gives the actions since the last Take, and keeps the given slice to
// write the next ones into: two slices in turn serve for ever.
func (r *Router) Take(spare []Action) []Action {
	out := r.actions
	r.actions = spare[:0]
	return out
}

func (r *Router) do(a Action) { r.actions = append(r.actions, a) }

// Stats gives the counters.
func (r *Router) Stats() Stats { return r.stats }

// LinkUp tells of a new link. A link that the peer had before is taken down.
func (r *Router) LinkUp(now time.Time, node peer.ID) Port {
	if old := r.byPeer[node]; old != nil {
		r.LinkDown(now, old.no)
	}
	r.lastPort++
	p := &port{no: r.lastPort, peer: node, inflight: newInflight(r.cfg.MaxInFlight)}
	r.ports = append(r.ports, p)
	r.byPort[p.no] = p
	r.byPeer[node] = p
	clear(r.negative)
	clear(r.lost)
	r.learn(now, node, p, 1, proven, 0)
	r.graftUp(now, "", nil)
	r.wakeRouteless(now)
	return p.no
}

// LinkDown tells that a link ended. What was sent by it and not answered is
// unknown now; report what was never written with Refused first.
func (r *Router) LinkDown(now time.Time, no Port) {
	p := r.byPort[no]
	if p == nil {
		return
	}
	p.closed = true
	delete(r.byPort, no)
	if r.byPeer[p.peer] == p {
		delete(r.byPeer, p.peer)
	}
	r.ports = slices.DeleteFunc(r.ports, func(q *port) bool { return q == p })
	r.forgetPort(p)
	r.prunes.forget(p)
	r.graftDown(now, "", p)
	var lost []slot
	p.inflight.each(func(s *slot) { lost = append(lost, *s) })
	for i := range lost {
		r.unknown(now, p, &lost[i])
	}
}

// Suspect tells that a link with frames in flight made no progress for a
// second, or that it did again. Other ways come first while it lasts, and
// what is in flight by it is said to be unknown, so that its origin can ask
// another way at once; a late answer still counts.
func (r *Router) Suspect(now time.Time, no Port, suspect bool) {
	p := r.byPort[no]
	if p == nil || p.suspect == suspect {
		return
	}
	p.suspect = suspect
	if !suspect {
		return
	}
	var doubts []uint64
	p.inflight.each(func(s *slot) {
		if s.br == nil && !s.doubted {
			s.doubted = true
			doubts = append(doubts, s.seq)
		}
	})
	for _, seq := range doubts {
		s := p.inflight.get(seq)
		if s == nil {
			continue
		}
		if s.pub != nil {
			r.doubt(s.pub, s.attempt)
			r.retry(now, s.pub)
		} else if s.in != nil && !s.in.closed {
			r.answer(s.in, mesh.Answer{Seq: s.inSeq, Status: mesh.StatusUnknown, Flags: mesh.AnswerMore})
		}
	}
}

// unknown handles a slot whose link ended.
func (r *Router) unknown(now time.Time, p *port, s *slot) {
	switch {
	case s.br != nil:
		r.settle(now, s.br, func(b *branch) { b.cut = true })
	case s.pub != nil:
		r.doubt(s.pub, s.attempt)
		r.retry(now, s.pub)
	case s.in != nil && !s.in.closed && !s.doubted:
		r.answer(s.in, mesh.Answer{Seq: s.inSeq, Status: mesh.StatusUnknown})
	}
}

// Bye tells that the neighbour is about to leave: its services are forgotten
// and other ways come first.
func (r *Router) Bye(now time.Time, no Port) {
	if p := r.byPort[no]; p != nil {
		p.leaving = true
		r.Withdraw(p.peer, "")
	}
}

// Drain makes the router refuse what is for its own handlers, or take it
// again.
func (r *Router) Drain(now time.Time, on bool) {
	r.draining = on
	if !on {
		clear(r.negative)
		r.graftUp(now, "", nil)
	}
}

// SetLocal says what this node serves under a name: the attributes of each
// handler; none withdraws it.
func (r *Router) SetLocal(now time.Time, service string, handlers []mesh.Attributes) {
	if len(handlers) == 0 {
		delete(r.local, service)
		return
	}
	grew := len(handlers) > len(r.local[service])
	r.local[service] = handlers
	if grew {
		clear(r.negative)
		r.graftUp(now, service, nil)
	}
}

// serves tells whether this node would take a message for the address.
func (r *Router) serves(a mesh.Address) mesh.Status {
	switch {
	case a.Network != "": // of another network: there is no bridge here
		return mesh.StatusNoProvider
	case a.Kind == mesh.KindNode && a.Node == r.self && r.draining:
		return mesh.StatusDraining
	case a.Kind == mesh.KindNode && a.Node == r.self:
		return mesh.StatusOK
	case a.Kind == mesh.KindService:
		handlers, ok := r.local[a.Name]
		switch {
		case !ok:
			return mesh.StatusNoProvider
		case r.draining:
			return mesh.StatusDraining
		}
		for _, attrs := range handlers {
			if a.Selector.Match(attrs) {
				return mesh.StatusOK
			}
		}
		return mesh.StatusIncapable
	}
	return mesh.StatusNoProvider
}

func (r *Router) answer(p *port, a mesh.Answer) {
	r.do(Action{Op: OpAnswer, Port: p.no, Answer: a})
}

// Next is when Tick wants to be called, zero for never.
func (r *Router) Next() time.Time {
	if len(r.wakes) == 0 {
		return time.Time{}
	}
	return r.wakes[0].at
}

// Tick does what is due.
func (r *Router) Tick(now time.Time) {
	for len(r.wakes) > 0 && !r.wakes[0].at.After(now) {
		w := heap.Pop(&r.wakes).(*wake)
		if w.pub != nil {
			r.wakePub(now, w.pub)
		} else {
			r.wakeProbe(now, w.probe)
		}
	}
}

// wake is one entry of the timer heap.
type wake struct {
	at    time.Time
	no    uint64 // settles ties
	pub   *Pub
	probe *probe
	index int
}

type wakeHeap []*wake

func (h wakeHeap) Len() int { return len(h) }
func (h wakeHeap) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].no < h[j].no
}
func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *wakeHeap) Push(x any) {
	w := x.(*wake)
	w.index = len(*h)
	*h = append(*h, w)
}
func (h *wakeHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	w.index = -1
	*h = old[:len(old)-1]
	return w
}

func (r *Router) wakePubAt(p *Pub, at time.Time) {
	r.unwake(p.wake)
	r.lastWake++
	p.wake = &wake{at: at, no: r.lastWake, pub: p}
	heap.Push(&r.wakes, p.wake)
}

func (r *Router) wakeProbeAt(p *probe, at time.Time) {
	r.unwake(p.wake)
	r.lastWake++
	p.wake = &wake{at: at, no: r.lastWake, probe: p}
	heap.Push(&r.wakes, p.wake)
}

// unwake takes an entry out, so that it does not keep its owner's bytes.
func (r *Router) unwake(w *wake) {
	if w != nil && w.index >= 0 {
		heap.Remove(&r.wakes, w.index)
	}
}
