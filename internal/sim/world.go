package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/ledger"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// sim is one run. All state of nodes and links is in slices, by index.
type sim struct {
	sc    *Scenario
	o     Options
	cfg   router.Config
	queue queue
	now   int64     // ns since the start
	clock time.Time // the same, for the router
	warm  int64     // end of warm-up
	end   int64     // end of traffic and churn
	count uint64    // events

	nodes   []node
	ids     []byte // of all identities, idLen bytes each
	peers   []peer.ID
	owner   []int32 // of identities that are not a node's own: from len(nodes) on
	regions []region
	names   []string // of services; 0 is that of nodes
	nameNo  map[string]int32
	addrs   []addr
	addrNo  map[string]int32
	homes   []int32 // by node: the number of its own address + 1
	servers []server
	jobs    jobs
	flows   []flow
	ledger  *ledger.Ledger

	kinds   []Link
	ends    []end
	freeEnd []int32 // even ones of free pairs
	flights flights
	msgs    msgs
	alive   int
	pairs   int // links up

	// What a node is given while it acts.
	spare, other []router.Action
	frame        router.Frame
	record       mesh.Record
	cur          *msg
	held         []*msg // let go when the node has acted
	arena        []byte
	scratch      []uint64

	topo, line, traffic, churn, work, attack, place, seeds *rand.Rand

	attacks []attack
	lures   map[int32]mesh.Attributes // by service: what attackers claim
	paths   paths
	meter   meter

	broken   [][]pair // by Event: the links it broke
	joining  []int    // by Event: the nodes yet to join
	newcomer int32    // the first that has not joined

	lies func(server int32) bool // test hook: this server says OK and does nothing
}

const idLen = 38

// base is when every run starts.
var base = time.UnixMilli(1_800_000_000_000)

// at is a time of the run as the router sees it.
func at(ns int64) time.Time { return base.Add(time.Duration(ns)) }

// stream gives the chance of one concern, so that drawing more for one does
// not change the others.
func stream(seed, concern uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, concern*0x9e3779b97f4a7c15))
}

func newSim(sc *Scenario, o Options) (*sim, error) {
	s := &sim{
		sc: sc, o: o, cfg: router.DefaultConfig(), clock: base,
		warm: int64(sc.Warmup), end: int64(sc.Warmup + sc.Duration),
		nameNo: make(map[string]int32), addrNo: make(map[string]int32),
		ledger: ledger.New(ledger.Config{MaxEntries: 1 << 30, MaxBytes: 1 << 40}),
		topo:   stream(sc.Seed, 1), line: stream(sc.Seed, 2), traffic: stream(sc.Seed, 3), churn: stream(sc.Seed, 4),
		work: stream(sc.Seed, 5), attack: stream(sc.Seed, 6), place: stream(sc.Seed, 7), seeds: stream(sc.Seed, 8),
	}
	s.nameOf(router.NodeService)
	s.makeNodes()
	if err := s.makeAttackers(); err != nil {
		return nil, err
	}
	if err := s.makeServices(); err != nil {
		return nil, err
	}
	if err := s.makeFlows(); err != nil {
		return nil, err
	}
	s.broken = make([][]pair, len(sc.Events))
	s.newcomer = int32(sc.Nodes)
	s.meter.init(s)
	s.paths.init(len(s.nodes))
	for i := range s.nodes {
		if int32(i) < int32(sc.Nodes) {
			s.boot(int32(i))
		}
	}
	s.makeLinks()
	s.startFlows()
	s.startChurn()
	for i := range s.attacks {
		s.attacks[i].start(s)
	}
	s.queue.push(int64(sweepStep), evSweep, 0, 0)
	s.queue.push(int64(time.Second), evSecond, 0, 0)
	return s, nil
}

// identity adds a peer ID whose bytes say which one it is.
func (s *sim) identity(owner int32) int32 {
	i := int32(len(s.peers))
	b := [idLen]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}
	binary.BigEndian.PutUint32(b[6:], uint32(i))
	x := uint64(i+1) * 0x9e3779b97f4a7c15
	for j := 10; j < idLen; j++ {
		x ^= x >> 31
		x *= 0xbf58476d1ce4e5b9
		b[j] = byte(x >> 56)
	}
	s.ids = append(s.ids, b[:]...)
	s.peers = append(s.peers, peer.ID(b[:]))
	if int(i) >= len(s.nodes) {
		s.owner = append(s.owner, owner)
	}
	return i
}

// indexOf is the inverse of peers; nobody for no peer.
func indexOf(p peer.ID) int32 {
	if len(p) < 10 {
		return nobody
	}
	return int32(uint32(p[6])<<24 | uint32(p[7])<<16 | uint32(p[8])<<8 | uint32(p[9]))
}

func (s *sim) idBytes(i int32) []byte {
	if i == nobody {
		return nil
	}
	return s.ids[int(i)*idLen : (int(i)+1)*idLen : (int(i)+1)*idLen]
}

// nodeOf is the node behind an identity.
func (s *sim) nodeOf(i int32) int32 {
	if int(i) < len(s.nodes) {
		return i
	}
	return s.owner[int(i)-len(s.nodes)]
}

func (s *sim) nameOf(name string) int32 {
	if i, ok := s.nameNo[name]; ok {
		return i
	}
	i := int32(len(s.names))
	s.names = append(s.names, name)
	s.nameNo[name] = i
	return i
}

// addr is an address of the run, and who can serve it.
type addr struct {
	mesh.Address
	text    []byte
	name    int32
	servers []int32
	alive   []int32 // by region: servers on nodes that are alive
}

// addrOf gives the number of an address.
func (s *sim) addrOf(a mesh.Address) int32 {
	text := a.String()
	if i, ok := s.addrNo[text]; ok {
		return i
	}
	i := int32(len(s.addrs))
	d := addr{Address: a, text: []byte(text), alive: make([]int32, len(s.regions))}
	serve := func(j int32) {
		v := &s.servers[j]
		d.servers = append(d.servers, j)
		v.addrs = append(v.addrs, i)
		if s.nodes[v.node].alive {
			d.alive[s.nodes[v.node].region]++
		}
	}
	if a.Kind == mesh.KindNode {
		if j := s.serverOf(s.nodeOf(indexOf(a.Node)), 0); j != nobody {
			serve(j)
		}
	} else {
		d.name = s.nameOf(a.Name)
		for j := range s.servers {
			if v := &s.servers[j]; v.name == d.name && a.Selector.Match(v.attrs) {
				serve(int32(j))
			}
		}
	}
	s.addrs = append(s.addrs, d)
	s.addrNo[text] = i
	return i
}

// nodeAddrOf gives the number of a node's own address.
func (s *sim) nodeAddrOf(i int32) int32 {
	i = s.nodeOf(i)
	if s.homes[i] == 0 {
		s.homes[i] = s.addrOf(mesh.Node(s.peers[i])) + 1
	}
	return s.homes[i] - 1
}

// step takes the next event.
func (s *sim) step() {
	e := s.queue.pop()
	s.now, s.clock = e.at, at(e.at)
	s.count++
	switch e.kind() {
	case evArrive:
		s.count--
		s.arrive(int32(e.a), e.b)
	case evTick:
		s.tick(int32(e.a), e.b)
	case evSweep:
		s.sweep()
	case evWork:
		s.worked(int32(e.a))
	case evTraffic:
		s.next(int32(e.a), e.b)
	case evChurn:
		s.churnOne()
	case evLeave:
		s.leaveAt(int(e.a))
	case evReturn:
		s.comeBack(int32(e.a), e.b)
	case evDial:
		s.dial(int32(e.a), e.b)
	case evSuspect:
		s.suspect(int32(e.a), e.b)
	case evCut:
		s.cutOff(int32(e.a), e.b)
	case evDown:
		s.farClosed(int32(e.a), e.b)
	case evBegin:
		s.begin(int(e.a))
	case evOver:
		s.over(int(e.a))
	case evSecond:
		s.second()
	case evAttack:
		s.attackAgain(int32(e.a), e.b)
	}
}
