package sim

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// flow is one Traffic with its draws made. The senders' exponential intervals
// come from one Poisson process over all of them.
type flow struct {
	*Traffic
	senders []int32
	addrs   []int32
	names   []int32 // of each sender, Names of them, indexes of addrs
	skew    []float64
	factor  float64 // by crowd events
	pace    uint32  // rises when factor changes
}

// anyNode is an address that draws one of the nodes, each of which handles
// what is sent to itself.
const anyNode = "node:#"

// numbered is the c-th name of a run.
func numbered(name string, c int) string { return strings.ReplaceAll(name, "#", strconv.Itoa(c)) }

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (s *sim) makeFlows() error {
	for k := range s.sc.Traffic {
		t := &s.sc.Traffic[k]
		f := flow{Traffic: t, factor: 1}
		for i := range int32(s.sc.Nodes) {
			n := &s.nodes[i]
			if n.hostile == 0 && (t.Region == "" || s.regions[n.region].name == t.Region) {
				f.senders = append(f.senders, i)
			}
		}
		s.place.Shuffle(len(f.senders), func(i, j int) { f.senders[i], f.senders[j] = f.senders[j], f.senders[i] })
		if t.From < 1 {
			f.senders = f.senders[:min(len(f.senders), max(1, int(t.From*float64(len(f.senders)))))]
		}
		if len(f.senders) == 0 {
			return fmt.Errorf("traffic[%d].region is %q: no node is there to send", k, t.Region)
		}
		if err := s.makeAddrs(&f, k); err != nil {
			return err
		}
		for range f.senders {
			for range t.Names {
				f.names = append(f.names, s.drawName(&f))
			}
		}
		s.flows = append(s.flows, f)
	}
	return nil
}

// makeAddrs gives a flow the addresses that it draws from.
func (s *sim) makeAddrs(f *flow, k int) error {
	count := 1
	if f.To == anyNode {
		for i := range int32(s.sc.Nodes) {
			f.addrs = append(f.addrs, s.nodeAddrOf(i))
		}
		count = 0
	} else if strings.Contains(f.To, "#") {
		count = s.runOf(f.To)
	}
	for c := range count {
		a, err := mesh.ParseAddress(numbered(f.To, c))
		if err != nil {
			return fmt.Errorf("traffic[%d].to: %w", k, err)
		}
		f.addrs = append(f.addrs, s.addrOf(a))
	}
	sum := 0.0
	for c := range f.addrs {
		sum += math.Pow(float64(c+1), -f.Skew)
		f.skew = append(f.skew, sum)
	}
	return nil
}

// runOf is how many names the service of an address has.
func (s *sim) runOf(to string) int {
	head, _, _ := strings.Cut(to, "{")
	for i := range s.sc.Services {
		if s.sc.Services[i].Name == head {
			return s.sc.Services[i].Count
		}
	}
	return 1
}

// drawName draws one of a flow's addresses, after Zipf when skew is set.
func (s *sim) drawName(f *flow) int32 {
	if len(f.addrs) == 1 {
		return 0
	}
	x := s.traffic.Float64() * f.skew[len(f.skew)-1]
	return int32(min(sort.SearchFloat64s(f.skew, x), len(f.addrs)-1))
}

func (s *sim) startFlows() {
	for k := range s.flows {
		s.pace(int32(k), max(s.now, int64(s.flows[k].Start)))
	}
}

// pace schedules the next message of a flow after a time.
func (s *sim) pace(k int32, from int64) {
	f := &s.flows[k]
	rate := f.Rate * f.factor * float64(len(f.senders))
	if rate <= 0 {
		return
	}
	t := from + int64(s.traffic.ExpFloat64()/rate*float64(time.Second))
	if t < s.end && (f.Stop == 0 || t < int64(f.Stop)) {
		s.queue.push(t, evTraffic, uint32(k), f.pace)
	}
}

// begun is how many of the senders have begun by a time.
func (f *flow) begun(now int64) int {
	since := now - int64(f.Start)
	if since >= int64(f.Ramp) {
		return len(f.senders)
	}
	return 1 + int(float64(len(f.senders)-1)*float64(since)/float64(f.Ramp))
}

func (s *sim) next(k int32, pace uint32) {
	f := &s.flows[k]
	if f.pace != pace {
		return
	}
	x := s.traffic.IntN(len(f.senders))
	if x >= f.begun(s.now) {
		s.pace(k, s.now)
		return
	}
	name := f.names[x*f.Names+s.traffic.IntN(f.Names)]
	if f.Draw == "message" {
		name = s.drawName(f)
	}
	if s.nodes[f.senders[x]].alive {
		s.publish(k, f.senders[x], f.addrs[name])
	}
	s.pace(k, s.now)
}

// publish sends one message of a flow, as servicerouting's prepare does.
func (s *sim) publish(k, i, to int32) {
	f := &s.flows[k]
	m := s.msgs.take()
	s.meter.published++
	s.meter.pending++
	m.number, m.flow, m.origin, m.addr, m.size = s.meter.published, k, i, to, int32(f.Size)
	m.open, m.sent, m.ttl = true, s.now, mesh.MaxTTL
	m.typ, m.mode, m.class = mesh.TypeData, mesh.ModeOne, mesh.ClassConfirm
	lane := uint8(3)
	if f.Request {
		m.typ, lane = mesh.TypeRequest, 2
	}
	if f.Mode == "all" {
		m.mode = mesh.ModeAll
	}
	if f.Class == "fire" {
		m.class = mesh.ClassFire
	}
	created := s.clock.Truncate(time.Millisecond)
	expires := s.clock.Add(f.Deadline).Add(time.Millisecond - 1).Truncate(time.Millisecond)
	m.created, m.expires = mesh.TimeOf(created), mesh.TimeOf(expires)
	d := &s.addrs[to]
	s.nodes[i].open = append(s.nodes[i].open, m.index)
	if m.mode == mesh.ModeAll {
		s.sentToAll(m)
	}
	if s.traced(m) {
		s.trace("%s publishes message %d to %s", s.nodeName(i), m.number, d.text)
	}
	s.input(i).Publish(s.clock, &router.Pub{
		ID: m.id(), To: d.Address, Mode: m.mode, Class: m.class, Request: f.Request, TTL: m.ttl, Expires: expires,
		Failover: f.Failover, Lane: lane, Key: m.key(), Tag: m,
	})
	s.act(i)
}

// final takes the final word on a message.
func (s *sim) final(i int32, m *msg, o *router.Outcome) {
	n := &s.nodes[i]
	for k, x := range n.open {
		if x == m.index {
			n.open[k] = n.open[len(n.open)-1]
			n.open = n.open[:len(n.open)-1]
			break
		}
	}
	s.meter.pending--
	m.open, m.status, m.worded = false, o.Status, s.now
	m.provider = indexOf(peer.ID(o.Provider))
	if s.traced(m) {
		s.trace("%s is told: %s by %s", s.nodeName(i), o.Status, s.nodeName(m.provider))
	}
	s.judge(m)
	s.later(m)
}
