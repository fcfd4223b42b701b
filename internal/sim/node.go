package sim

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// node is one node: its router, and what the simulator knows of it.
type node struct {
	r       *router.Router
	links   []tie // ends that are up
	servers []int32
	open    []int32 // its messages without a final word
	lost    []lost  // neighbours that went silent
	born    int64   // of this life
	armed   int64   // when the earliest evTick comes; 0: none
	life    uint32  // rises when it dies and when it comes back
	region  int32
	other   int32 // of a bridge: the other region; nobody
	want    int16 // neighbours in its region
	across  int16 // of a bridge: neighbours in the other one
	hostile int16 // attack + 1
	nat     uint8
	side    uint8 // of a partition
	alive   bool
	dialing bool // an evDial is to come
}

// tie is what is looked up most of a link, side by side for a node's links.
type tie struct {
	port router.Port
	end  int32
	peer int32
}

// The classes of NAT.
const (
	natOpen uint8 = iota
	natCone
	natSymmetric
)

// sweepEvery is the time between two sweeps of one router. In production it is
// a second; nothing that a sweep drops is still looked at after its expiry.
const (
	sweepEvery = 5 * time.Second
	sweepStep  = 50 * time.Millisecond
)

// makeNodes makes identities and regions, and no router yet.
func (s *sim) makeNodes() {
	total := s.sc.Nodes
	s.joining = make([]int, len(s.sc.Events))
	for k := range s.sc.Events {
		if e := &s.sc.Events[k]; e.What == "join" {
			s.joining[k] = int(e.Share * float64(s.sc.Nodes))
			total += s.joining[k]
		}
	}
	s.nodes = make([]node, total)
	s.homes = make([]int32, total)
	for i := range s.nodes {
		s.identity(int32(i))
		s.nodes[i].other = nobody
	}
	s.makeRegions()
	nat := s.sc.Topology.NAT
	for i := range s.nodes {
		switch x := s.topo.Float64(); {
		case x < nat["symmetric"]:
			s.nodes[i].nat = natSymmetric
		case x < nat["symmetric"]+nat["cone"]:
			s.nodes[i].nat = natCone
		}
	}
}

// boot starts a node with a new router.
func (s *sim) boot(i int32) {
	n := &s.nodes[i]
	n.life++
	n.alive, n.born, n.armed, n.dialing = true, s.now, 0, false
	cfg := s.cfg
	if name := s.regions[n.region].name; name != "" {
		cfg.Zone = []router.Level{{Name: regionAttribute, Value: name}}
	}
	n.r = router.New(s.peers[i], cfg, s.seeds.Uint64())
	s.alive++
	if len(n.servers) == 0 {
		return
	}
	r := s.input(i)
	for _, v := range n.servers {
		sv := &s.servers[v]
		sv.boot(s, v)
		for _, a := range sv.addrs {
			s.addrs[a].alive[n.region]++
		}
		r.SetLocal(s.clock, s.names[sv.name], []mesh.Attributes{sv.attrs})
	}
	s.act(i)
}

// die ends a node; its neighbours notice when their links tell them, at once
// when it leaves with a word.
func (s *sim) die(i int32, word bool) {
	n := &s.nodes[i]
	if !n.alive {
		return
	}
	n.alive = false
	n.life++
	s.alive--
	for len(n.links) > 0 {
		s.abandonEnd(n.links[len(n.links)-1].end, word)
	}
	for _, m := range n.open {
		s.msgs.at(m).open, s.msgs.at(m).orphan = false, true
		s.meter.pending--
		s.release(s.msgs.at(m))
	}
	for _, v := range n.servers {
		s.servers[v].die(s)
		for _, a := range s.servers[v].addrs {
			s.addrs[a].alive[n.region]--
		}
	}
	n.open, n.lost, n.r = n.open[:0], n.lost[:0], nil
}

// input gives a node's router, ready for one input, after which act is due.
func (s *sim) input(i int32) *router.Router {
	r := s.nodes[i].r
	r.Take(s.spare)
	return r
}

// act carries out what the router decided, until it has nothing more to say.
// The buffers of actions belong to the run: a router at rest holds none.
func (s *sim) act(i int32) {
	r := s.nodes[i].r
	acts := r.Take(s.other)
	for len(acts) > 0 {
		for k := range acts {
			s.do(i, &acts[k])
		}
		acts = r.Take(acts)
	}
	s.spare, s.other = acts, r.Take(nil)
	for _, m := range s.held {
		s.blame(i, m)
		s.release(m)
	}
	s.held = s.held[:0]
	s.arena = s.arena[:0]
	s.arm(i)
}

// arm makes sure that a tick comes when the router wants it. A tick that is
// no longer wanted comes all the same, and looks again.
func (s *sim) arm(i int32) {
	n := &s.nodes[i]
	next := n.r.Next()
	if next.IsZero() {
		return
	}
	ns := max(int64(next.Sub(base)), s.now)
	if n.armed != 0 && n.armed <= ns {
		return
	}
	n.armed = ns
	s.queue.push(ns, evTick, uint32(i), n.life)
}

func (s *sim) tick(i int32, life uint32) {
	n := &s.nodes[i]
	if n.life != life || !n.alive || n.armed != s.now {
		return
	}
	n.armed = 0
	if next := n.r.Next(); next.IsZero() || next.After(s.clock) {
		s.arm(i)
		return
	}
	s.input(i).Tick(s.clock)
	s.act(i)
}

// sweep lets a share of the nodes drop what has expired.
func (s *sim) sweep() {
	steps := int(sweepEvery / sweepStep)
	for i := int(s.now/int64(sweepStep)) % steps; i < len(s.nodes); i += steps {
		n := &s.nodes[i]
		if !n.alive {
			continue
		}
		for k := range n.links {
			s.forgetKept(n.links[k].end)
		}
		s.input(int32(i)).Sweep(s.clock)
		s.act(int32(i))
	}
	s.ledger.Sweep(s.clock, 1<<16)
	s.queue.push(s.now+int64(sweepStep), evSweep, 0, 0)
}

// linked is the end by which a node is linked to another; nobody.
func (s *sim) linked(a, b int32) int32 {
	for _, l := range s.nodes[a].links {
		if l.peer == b {
			return l.end
		}
	}
	return nobody
}

// endOf is the end behind a port.
func (s *sim) endOf(i int32, p router.Port) int32 {
	for _, l := range s.nodes[i].links {
		if l.port == p {
			return l.end
		}
	}
	return nobody
}
