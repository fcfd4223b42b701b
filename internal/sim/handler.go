package sim

import (
	"fmt"
	"slices"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/ledger"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// server is one node's handler of one service.
type server struct {
	node    int32
	name    int32
	service int32 // index in the scenario
	attrs   mesh.Attributes
	digest  uint64  // of attrs
	since   int64   // of this life
	addrs   []int32 // that it can serve
	ledger  string  // what its deliveries are entered under in this life
	slow    bool
	running int32
	active  []int32 // jobs that run
	queue   []int32 // jobs that wait, a ring
	head, n int32
	handled uint64 // since warm-up
	epoch   uint64 // of its record
}

// job is a message at a handler.
type job struct {
	token  router.Token
	msg    int32
	server int32
	life   uint32 // of the node
	next   int32  // free list, or the next duplicate that waits for this one
	waits  int32  // duplicates that wait, nobody
	same   int32  // how many
	status mesh.Status
	local  bool
}

const maxSame = 8 // duplicates that wait for one result, as in production

// jobs is a slab with a free list.
type jobs struct {
	all  []job
	free int32
	live int
}

func (j *jobs) put(x job) int32 {
	j.live++
	if i := j.free - 1; i >= 0 {
		j.free = j.all[i].next
		j.all[i] = x
		return i
	}
	j.all = append(j.all, x)
	return int32(len(j.all) - 1)
}

func (j *jobs) give(i int32) {
	j.live--
	j.all[i] = job{next: j.free}
	j.free = i + 1
}

// makeServices draws who serves what.
func (s *sim) makeServices() error {
	for k := range s.sc.Traffic {
		if s.sc.Traffic[k].To == anyNode { // every node handles what is sent to itself
			s.sc.Services = append(s.sc.Services, Service{Name: router.NodeService, Count: 1, Handler: Handler{Concurrency: 64, Queue: 256}})
			for i := range int32(s.sc.Nodes) {
				s.addServer(server{node: i, service: int32(len(s.sc.Services) - 1)})
			}
			break
		}
	}
	for k := range s.sc.Services {
		v := &s.sc.Services[k]
		if v.Name == router.NodeService {
			continue
		}
		var able []int32
		for i := range int32(s.sc.Nodes) {
			if n := &s.nodes[i]; n.hostile == 0 && (v.Region == "" || s.regions[n.region].name == v.Region) {
				able = append(able, i)
			}
		}
		want := v.Providers
		if v.Share > 0 {
			want = max(1, int(v.Share*float64(len(able))))
		}
		if want > len(able) {
			return fmt.Errorf("services[%d].providers is %d: need at most %d, the nodes that can serve %s", k, want, len(able), v.Name)
		}
		for c := range v.Count {
			name := s.nameOf(numbered(v.Name, c))
			for j := range want { // the first of a shuffle
				x := j + s.place.IntN(len(able)-j)
				able[j], able[x] = able[x], able[j]
				sv := server{node: able[j], name: name, service: int32(k), slow: j < v.Slow}
				sv.attrs = s.attributes(v, able[j])
				sv.digest = sv.attrs.Digest()
				s.addServer(sv)
			}
		}
	}
	return nil
}

func (s *sim) addServer(v server) {
	s.nodes[v.node].servers = append(s.nodes[v.node].servers, int32(len(s.servers)))
	s.servers = append(s.servers, v)
}

// boot begins a server's life with its node's.
func (v *server) boot(s *sim, index int32) {
	v.ledger = fmt.Sprintf("%d.%d", index, s.nodes[v.node].life)
	v.since = s.now
	v.running, v.head, v.n, v.epoch, v.active = 0, 0, 0, 0, v.active[:0]
}

// die ends it; jobs that run end with their event.
func (v *server) die(s *sim) {
	for ; v.n > 0; v.n-- {
		s.drain(v.queue[v.head])
		v.head = (v.head + 1) % int32(len(v.queue))
	}
	v.running = 0
}

// serverOf is a node's handler of a service; nobody.
func (s *sim) serverOf(i, name int32) int32 {
	for _, v := range s.nodes[i].servers {
		if s.servers[v].name == name {
			return v
		}
	}
	return nobody
}

// load is the share of a server's handlers that are busy, in percent, as
// production counts it.
func (s *sim) load(v int32) uint8 {
	sv := &s.servers[v]
	return uint8(min(100, 100*int(sv.running+sv.n)/s.sc.Services[sv.service].Handler.Concurrency))
}

// deliver takes a message for this node.
func (s *sim) deliver(i int32, a *router.Action) {
	m, local := a.Tag.(*msg)
	if !local {
		m = s.cur
	}
	r := s.nodes[i].r
	switch m.typ {
	case mesh.TypeProbe:
		s.able(i, a)
		return
	case mesh.TypeReply:
		if p := a.Pub; p != nil && idOf(m.about) == p.ID {
			r.Replied(s.clock, p, a.Port, uint8(a.Token.HopCount()), router.Checked{Status: m.word.status, Provider: s.peers[m.origin], Load: m.word.load, Attributes: s.digestOf(m.origin, p.To.Name)})
		}
		return
	case mesh.TypeReceipt:
		if p := a.Pub; p != nil && m.word.what == i && idOf(m.word.n) == p.ID {
			r.Stray(s.clock, p.ID, a.Port, uint8(a.Token.HopCount()), s.checked(&m.word, p))
		}
		return
	}
	name := int32(0)
	if a.Address.Kind == mesh.KindService {
		name = s.nameOf(a.Address.Name)
	}
	v := s.serverOf(i, name)
	if v == nobody || !a.Address.Selector.Match(s.servers[v].attrs) {
		r.Answered(s.clock, a.Token, mesh.StatusNoProvider, nil, router.Checked{})
		return
	}
	sv := &s.servers[v]
	h := &s.sc.Services[sv.service].Handler
	if int(sv.n) >= h.Queue {
		r.Answered(s.clock, a.Token, mesh.StatusBusy, nil, router.Checked{})
		return
	}
	m.refs++
	j := s.jobs.put(job{token: a.Token, msg: m.index, server: v, life: s.nodes[i].life, waits: nobody, local: local})
	if int(sv.running) >= h.Concurrency {
		sv.push(j)
		return
	}
	sv.running++
	s.begins(j)
}

func (v *server) push(j int32) {
	if int(v.n) == len(v.queue) {
		bigger := make([]int32, max(8, 2*v.n))
		for i := range v.n {
			bigger[i] = v.queue[(v.head+i)%v.n]
		}
		v.queue, v.head = bigger, 0
	}
	v.queue[(v.head+v.n)%int32(len(v.queue))] = j
	v.n++
}

func (v *server) pop() int32 {
	j := v.queue[v.head]
	v.head = (v.head + 1) % int32(len(v.queue))
	v.n--
	return j
}

// begins is the end of the trip: check the time, the ledger, run. A job that
// does not run is over at once, and the next one of the queue takes its place.
func (s *sim) begins(j int32) {
	for {
		if s.runs(j) {
			return
		}
		sv := &s.servers[s.jobs.all[j].server]
		s.drain(j)
		if sv.n == 0 {
			sv.running--
			return
		}
		j = sv.pop()
	}
}

// runs starts a job's handler, or answers without one.
func (s *sim) runs(j int32) bool {
	b := &s.jobs.all[j]
	m, sv := s.msgs.at(b.msg), &s.servers[b.server]
	r := s.nodes[sv.node].r
	if err := mesh.CheckTime(s.clock, m.created, m.expires); err != nil {
		r.Answered(s.clock, b.token, mesh.StatusExpired, nil, router.Checked{})
		return false
	}
	verdict, res, _ := s.ledger.Begin(s.clock, s.entry(b), m.expires.Std())
	switch verdict {
	case ledger.Wait:
		r.Answered(s.clock, b.token, mesh.StatusWorking, nil, router.Checked{})
		s.waitFor(j)
		return false
	case ledger.Again:
		b.status = res.Status
		s.finish(b)
		return false
	case ledger.Busy:
		r.Answered(s.clock, b.token, mesh.StatusBusy, nil, router.Checked{})
		return false
	}
	h := &s.sc.Services[sv.service].Handler
	b.status = mesh.StatusOK
	if h.Fails > 0 && s.work.Float64() < h.Fails {
		b.status = mesh.StatusHandlerFailed
	}
	if s.lies == nil || !s.lies(b.server) {
		s.effect(m, b)
	}
	took := int64(h.Time)
	if sv.slow {
		took = int64(s.sc.Services[sv.service].SlowTime)
	}
	if h.Spread > 0 {
		took += int64(s.work.ExpFloat64() * float64(h.Spread))
	}
	sv.active = append(sv.active, j)
	s.queue.push(s.now+took, evWork, uint32(j), 0)
	return true
}

func (s *sim) entry(b *job) ledger.Key {
	m := s.msgs.at(b.msg)
	return ledger.Key{Service: s.servers[b.server].ledger, Origin: s.peers[m.origin], ID: m.id()}
}

// waitFor lets a duplicate wait for the result of the job that runs.
func (s *sim) waitFor(j int32) {
	dup := s.jobs.all[j]
	for _, x := range s.servers[dup.server].active {
		if w := &s.jobs.all[x]; w.msg != dup.msg || w.same >= maxSame {
			continue
		}
		s.msgs.at(dup.msg).refs++
		dup.waits = nobody
		k := s.jobs.put(dup)
		w := &s.jobs.all[x]
		s.jobs.all[k].next, w.waits = w.waits, k
		w.same++
		return
	}
}

// worked is called when a handler has returned.
func (s *sim) worked(j int32) {
	b := &s.jobs.all[j]
	sv := &s.servers[b.server]
	n := &s.nodes[sv.node]
	if n.life != b.life { // the node died under it
		s.drain(j)
		return
	}
	i := sv.node
	s.input(i)
	s.ledger.Finish(s.clock, s.entry(b), ledger.Result{Status: b.status}, false)
	s.finish(b)
	for w := b.waits; w != nobody; w = s.jobs.all[w].next {
		s.jobs.all[w].status = b.status
		s.finish(&s.jobs.all[w])
	}
	sv.active = slices.DeleteFunc(sv.active, func(x int32) bool { return x == j })
	s.drain(j)
	if sv.n == 0 {
		sv.running--
	} else {
		s.begins(sv.pop())
	}
	s.act(i)
}

// drain lets go of a job and of the duplicates that wait for it.
func (s *sim) drain(j int32) {
	for w := s.jobs.all[j].waits; w != nobody; {
		next := s.jobs.all[w].next
		s.release(s.msgs.at(s.jobs.all[w].msg))
		s.jobs.give(w)
		w = next
	}
	s.release(s.msgs.at(s.jobs.all[j].msg))
	s.jobs.give(j)
}

// finish sends a result home: as a reply to a request that worked, otherwise
// as a receipt.
func (s *sim) finish(b *job) {
	m, sv := s.msgs.at(b.msg), &s.servers[b.server]
	r := s.nodes[sv.node].r
	if !b.local && m.typ == mesh.TypeRequest && !b.status.Negative() {
		p := s.newMsg(sv.node, s.nodeAddrOf(m.origin), mesh.TypeReply, 0)
		p.expires, p.about, p.number, p.size = m.expires, m.no, m.number, m.size
		p.word.status, p.word.load = b.status, s.load(b.server)
		if left := mesh.TimeOf(s.clock) + 1000; p.expires < left {
			p.expires = left
		}
		r.Reply(s.clock, b.token, p.key(), p)
		s.later(p)
		return
	}
	var sealed []byte
	if !b.local && m.class != mesh.ClassFire {
		sealed = s.encode(&body{kind: bodyReceipt, who: sv.node, what: m.origin, n: m.no, status: b.status, load: s.load(b.server)})
	}
	r.Answered(s.clock, b.token, b.status, sealed, router.Checked{})
}
