package router

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// network runs routers in virtual time: links with latency, cuts, handlers,
// and a delivery ledger at each provider, as the forwarder has.
type network struct {
	now    time.Time
	rand   *rand.Rand
	nodes  map[string]*simNode
	names  []string
	events events
	nextEv uint64
	lastID uint64
	trace  []string

	// invariants watched all the time
	crossings map[crossing]uint8    // frame key over a directed link → largest TTL
	effects   map[mesh.ID][]peer.ID // handler runs
	badHops   []string
	sends     int
	verbose   bool
}

type crossing struct {
	at   string
	key  Key
	hop  [2]uint32 // attempt, nonce
	seqs string    // node it goes to
}

type simNode struct {
	net   *network
	name  string
	id    peer.ID
	r     *Router
	links map[string]*simLink
	done  map[mesh.ID]mesh.Status // ledger of deliveries
	slow  time.Duration           // handler time
	say   mesh.Status             // what handlers return
	down  bool
	sent  map[[2]uint64]*msg // frames by port and sequence number, for OpResend
}

type simLink struct {
	port    Port
	to      *simNode
	latency time.Duration
	silent  bool // loses everything, and nobody is told
	epoch   uint64
}

// msg is the immutable part of a frame.
type msg struct {
	id          mesh.ID
	view        mesh.View
	key         Key
	bad         bool // its proof does not verify
	correlation mesh.ID
}

type event struct {
	at time.Time
	no uint64
	do func()
}

type events []event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	return h[i].at.Before(h[j].at) || h[i].at.Equal(h[j].at) && h[i].no < h[j].no
}
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }
func (h *events) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

func newNetwork(seed uint64) *network {
	return &network{
		now: time.UnixMilli(1_800_000_000_000), rand: rand.New(rand.NewPCG(seed, 1)),
		nodes: map[string]*simNode{}, crossings: map[crossing]uint8{}, effects: map[mesh.ID][]peer.ID{},
	}
}

func (n *network) after(d time.Duration, fn func()) {
	n.nextEv++
	heap.Push(&n.events, event{n.now.Add(d), n.nextEv, fn})
}

// run lets virtual time pass; it ends early when nothing is left to happen.
func (n *network) run(d time.Duration) {
	end := n.now.Add(d)
	for {
		// The earliest of the next event and the next timer of a router.
		var due *simNode
		at := end
		for _, name := range n.names {
			s := n.nodes[name]
			if t := s.r.Next(); !s.down && !t.IsZero() && t.Before(at) {
				due, at = s, t
			}
		}
		if len(n.events) > 0 && !n.events[0].at.After(at) {
			e := heap.Pop(&n.events).(event)
			n.now = e.at
			e.do()
			continue
		}
		if due == nil {
			n.now = end
			return
		}
		n.now = at
		due.r.Tick(n.now)
		due.act()
	}
}

func nodeID(name string) peer.ID {
	b := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, make([]byte, 32)...)
	copy(b[6:], name)
	return peer.ID(b)
}

func nodeName(id peer.ID) string {
	if id == "" {
		return "-"
	}
	return strings.TrimRight(string(id[6:]), "\x00")
}

func (n *network) node(name string) *simNode {
	if s := n.nodes[name]; s != nil {
		return s
	}
	s := &simNode{
		net: n, name: name, id: nodeID(name), links: map[string]*simLink{}, done: map[mesh.ID]mesh.Status{},
		say: mesh.StatusOK, sent: map[[2]uint64]*msg{},
	}
	s.r = New(s.id, DefaultConfig(), n.rand.Uint64())
	n.nodes[name] = s
	n.names = append(n.names, name)
	return s
}

func (n *network) link(a, b string, latency time.Duration) {
	x, y := n.node(a), n.node(b)
	if x.links[b] != nil || x.down || y.down {
		return
	}
	n.nextEv++
	x.links[b] = &simLink{to: y, latency: latency, epoch: n.nextEv}
	y.links[a] = &simLink{to: x, latency: latency, epoch: n.nextEv}
	x.links[b].port = x.r.LinkUp(n.now, y.id)
	y.links[a].port = y.r.LinkUp(n.now, x.id)
	x.act()
	y.act()
}

func (n *network) cut(a, b string) {
	x, y := n.node(a), n.node(b)
	lx, ly := x.links[b], y.links[a]
	if lx == nil {
		return
	}
	delete(x.links, b)
	delete(y.links, a)
	if !x.down {
		x.r.LinkDown(n.now, lx.port)
		x.act()
	}
	if !y.down {
		y.r.LinkDown(n.now, ly.port)
		y.act()
	}
}

func (n *network) kill(name string) {
	s := n.node(name)
	s.down = true
	for _, b := range slices.Sorted(keysOf(s.links)) {
		n.cut(name, b)
	}
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *simNode) linkOf(p Port) *simLink {
	for _, l := range s.links {
		if l.port == p {
			return l
		}
	}
	return nil
}

func (n *network) newMsg(origin peer.ID, addr mesh.Address, mode mesh.Mode, class mesh.Class, typ mesh.Type, ttl uint8, life time.Duration) *msg {
	n.lastID++
	m := &msg{}
	binary.BigEndian.PutUint64(m.id[8:], n.lastID)
	m.key = Key{n.lastID * 0x9e3779b97f4a7c15, n.lastID}
	m.view = mesh.View{
		ID: m.id, Origin: []byte(origin), Address: []byte(addr.String()), Mode: mode, Class: class, Type: typ,
		Created: mesh.TimeOf(n.now), Expires: mesh.TimeOf(n.now.Add(life)), TTL: ttl,
	}
	return m
}

func (n *network) log(format string, args ...any) {
	n.trace = append(n.trace, fmt.Sprintf(format, args...))
}

// act carries out what the router decided, until it has nothing more to say.
func (s *simNode) act() {
	n := s.net
	for acts := s.r.Take(nil); len(acts) > 0; acts = s.r.Take(nil) {
		for i := range acts {
			a := acts[i]
			switch a.Op {
			case OpSend:
				m, _ := a.Tag.(*msg)
				if m == nil {
					m = frameMsgs[a.Ref]
				}
				s.send(a, m)
			case OpResend:
				s.send(a, s.sent[[2]uint64{uint64(a.OldPort), a.OldSeq}])
			case OpAnswer:
				if l := s.linkOf(a.Port); l != nil {
					ans := a.Answer
					ans.Body = slices.Clone(ans.Body)
					s.over(l, func(to *simNode, from Port) { to.gotAnswer(from, ans) })
				}
			case OpVerify:
				if m := frameMsgs[a.Ref]; !m.bad {
					f := frames[a.Ref]
					s.r.Verified(n.now, a.Port, &f)
				} else {
					n.log("%s: bad proof", s.name)
				}
			case OpDeliver:
				s.deliver(a)
			case OpCheck:
				s.r.Checked(n.now, a.Port, a.Pub, a.Answer, openBody(a.Answer.Body))
			case OpStray:
				s.stray(a.Answer.Body)
			case OpProbe:
				m := n.newMsg(s.id, a.Address, mesh.ModeAll, mesh.ClassFire, mesh.TypeProbe, a.TTL, 2*time.Second)
				if n.verbose {
					n.log("%s: probe %s ttl=%d", s.name, a.Address, a.TTL)
				}
				s.r.SendProbe(n.now, a.Probe, m.key, n.now.Add(2*time.Second), m)
			case OpNews:
				if f, ok := news[a.Pub]; ok {
					f(a.Outcome)
				}
			case OpGraft:
				if l := s.linkOf(a.Port); l != nil {
					s.over(l, func(to *simNode, from Port) { to.r.Graft(n.now, from, a.Service); to.act() })
				}
			}
		}
	}
}

// Frames in flight, by the handle the router gives back. Tests run one
// network at a time each in its own goroutine's call, so they are reset by it.
var (
	frames    []Frame
	frameMsgs []*msg
	news      map[*Pub]func(Outcome)
)

func reset() { frames, frameMsgs, news = nil, nil, map[*Pub]func(Outcome){} }

// over carries something over a link, unless the link ends before it arrives.
func (s *simNode) over(l *simLink, arrive func(to *simNode, from Port)) {
	if l.silent {
		return
	}
	n := s.net
	n.after(l.latency, func() {
		back := l.to.links[s.name]
		if back == nil || back.epoch != l.epoch || l.to.down || back.silent {
			return
		}
		arrive(l.to, back.port)
	})
}

func (s *simNode) send(a Action, m *msg) {
	n := s.net
	l := s.linkOf(a.Port)
	if l == nil || m == nil {
		s.r.Refused(n.now, a.Port, a.Hop.Seq, a.Pub, mesh.StatusNotSent)
		return
	}
	n.sends++
	hop := a.Hop
	if int(hop.TTL)+int(hop.Hops) > int(m.view.TTL) || hop.TTL == 0 {
		n.badHops = append(n.badHops, fmt.Sprintf("%s>%s ttl %d hops %d of %d", s.name, l.to.name, hop.TTL, hop.Hops, m.view.TTL))
	}
	flood := hop.Flags&(mesh.FlagFlood|mesh.FlagProbe) != 0
	c := crossing{s.name, m.key, [2]uint32{uint32(hop.Attempt), hop.Nonce}, ""}
	if flood {
		c.seqs = l.to.name
	}
	if was, ok := n.crossings[c]; ok && (!flood || hop.TTL <= was) {
		n.badHops = append(n.badHops, fmt.Sprintf("%s sends type %d key %v attempt %d nonce %d back %d again to %s", s.name, m.view.Type, m.key, hop.Attempt, hop.Nonce, hop.Back, l.to.name))
	}
	n.crossings[c] = hop.TTL
	s.sent[[2]uint64{uint64(a.Port), hop.Seq}] = m
	if m.view.Type != mesh.TypeProbe {
		n.log("%s>%s", s.name, l.to.name)
	}
	if a.Pub != nil && a.Hop.Seq == 0 {
		s.r.Sent(a.Pub)
	}
	s.over(l, func(to *simNode, from Port) { to.gotFrame(from, hop, m) })
}

func (s *simNode) gotFrame(from Port, hop mesh.HopHeader, m *msg) {
	f := Frame{Hop: mesh.RawHop{HopHeader: hop, BoundRaw: []byte(hop.Bound)}, View: m.view, Key: m.key, Ref: len(frames)}
	frames = append(frames, f)
	frameMsgs = append(frameMsgs, m)
	s.r.Frame(s.net.now, from, &f)
	s.act()
}

func (s *simNode) gotAnswer(from Port, a mesh.Answer) {
	b := Back{Answer: a}
	if a.Status == mesh.StatusAble {
		c := openBody(a.Body)
		b.Record = &mesh.Record{Provider: c.Provider, Service: c.Detail, Attributes: s.net.nodes[nodeName(c.Provider)].attrsOf(c.Detail), Expires: s.net.now.Add(time.Minute)}
	}
	s.r.Answer(s.net.now, from, b)
	s.act()
}

func (s *simNode) attrsOf(service string) mesh.Attributes {
	if h := s.r.Local()[service]; len(h) > 0 {
		return h[0]
	}
	return nil
}
