package router

import (
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// randomGraph makes a connected graph of n nodes and about n*degree/2 links.
func randomGraph(seed uint64, n int, degree float64) *network {
	reset()
	net := newNetwork(seed)
	for i := range n {
		net.node(fmt.Sprint(i))
		if i > 0 {
			net.link(fmt.Sprint(i), fmt.Sprint(net.rand.IntN(i)), net.latency())
		}
	}
	for range int(float64(n)*degree/2) - n {
		a, b := net.rand.IntN(n), net.rand.IntN(n)
		if a != b {
			net.link(fmt.Sprint(a), fmt.Sprint(b), net.latency())
		}
	}
	return net
}

func (n *network) latency() time.Duration {
	return time.Duration(1+n.rand.IntN(20)) * time.Millisecond
}

func (n *network) any() string { return n.names[n.rand.IntN(len(n.names))] }

// distance is the number of links between two nodes, -1 when there is no way.
func (n *network) distance(from, to string) int {
	dist := map[string]int{from: 0}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			return dist[to]
		}
		for name := range n.nodes[queue[0]].links {
			if _, ok := dist[name]; !ok {
				dist[name] = dist[queue[0]] + 1
				queue = append(queue, name)
			}
		}
	}
	return -1
}

func (n *network) serve(name string) {
	s := n.node(name)
	s.r.SetLocal(n.now, "svc", []mesh.Attributes{{}})
	s.act()
}

type sent struct {
	*result
	id   mesh.ID
	from string
}

// check fails on what must never happen, whatever breaks.
func (n *network) check(t *testing.T, pubs []sent) {
	t.Helper()
	for _, b := range n.badHops {
		t.Error(b)
	}
	for _, p := range pubs {
		if !p.done {
			t.Errorf("message %v from %s has no outcome", p.id, p.from)
		}
		ran := n.effects[p.id]
		if len(ran) > 1 {
			t.Errorf("message %v from %s had %d effects: %v", p.id, p.from, len(ran), ran)
		}
		if p.Status == mesh.StatusOK && len(ran) != 1 {
			t.Errorf("message %v from %s is said to be done and had %d effects", p.id, p.from, len(ran))
		}
		if (p.Status == mesh.StatusNoProvider || p.Status.Negative()) && len(ran) != 0 {
			t.Errorf("message %v from %s: %v, but it was handled", p.id, p.from, p.Status)
		}
	}
}

// Whatever is cut and joined, mode one has at most one effect over all
// providers, and what is said to be done or not done is so.
func TestOneEffectUnderChurn(t *testing.T) {
	delivered, total := 0, 0
	for seed := uint64(1); seed <= 500; seed++ {
		n := randomGraph(seed, 8+int(seed%17), 3.2)
		for range 3 {
			n.serve(n.any())
		}
		var pubs []sent
		for range 40 {
			n.nodes[n.any()].slow = time.Duration(n.rand.IntN(60)) * time.Millisecond
			from := n.any()
			res, id := n.publish(from, "svc", func(p *Pub) {
				p.Request = n.rand.IntN(2) == 0
				p.Expires = n.now.Add(5 * time.Second)
			})
			pubs = append(pubs, sent{res, id, from})
			n.run(time.Duration(n.rand.IntN(50)) * time.Millisecond)
			switch a, b := n.any(), n.any(); {
			case a != b && n.rand.IntN(3) == 0:
				n.link(a, b, n.latency())
			case n.rand.IntN(2) == 0:
				if links := slices.Sorted(keysOf(n.nodes[a].links)); len(links) > 0 {
					n.cut(a, links[n.rand.IntN(len(links))])
				}
			}
		}
		n.run(12 * time.Second)
		n.check(t, pubs)
		for _, p := range pubs {
			total++
			if p.Status == mesh.StatusOK {
				delivered++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d of %d delivered", delivered, total)
	if delivered < total*8/10 {
		t.Errorf("only %d of %d delivered", delivered, total)
	}
}

// With three providers and any one link cut at any point of the trip, there
// is one effect over all of them.
func TestCutAtEveryPoint(t *testing.T) {
	build := func() *network {
		reset()
		n := newNetwork(3)
		for _, l := range []string{"a-b", "a-c", "b-d", "c-d", "d-x", "b-y", "c-z", "x-z"} {
			n.link(l[:1], l[2:], 3*time.Millisecond)
		}
		for _, s := range []string{"x", "y", "z"} {
			n.serve(s)
			n.nodes[s].slow = 7 * time.Millisecond
		}
		return n
	}
	links := []string{"a-b", "a-c", "b-d", "c-d", "d-x", "b-y", "c-z", "x-z"}
	runs := 0
	for _, request := range []bool{false, true} {
		for _, link := range links {
			for step := 0; ; step++ {
				n := build()
				res, id := n.publish("a", "svc", func(p *Pub) { p.Request = request; p.Expires = n.now.Add(4 * time.Second) })
				k := 0
				for ; k < step && len(n.events) > 0 && !res.done; k++ {
					e := heap.Pop(&n.events).(event)
					n.now = e.at
					e.do()
				}
				if k < step {
					break // the trip was over before
				}
				n.cut(link[:1], link[2:])
				n.run(6 * time.Second)
				n.check(t, []sent{{res, id, "a"}})
				if t.Failed() {
					t.Fatalf("link %s cut at step %d", link, step)
				}
				runs++
			}
		}
	}
	t.Logf("%d runs", runs)
	if runs < 200 {
		t.Errorf("only %d runs", runs)
	}
}

// On a graph that stands still, a message arrives if a way within the TTL
// exists, and only then.
func TestDeliveredIfAWayExists(t *testing.T) {
	for seed := uint64(1); seed <= 300; seed++ {
		n := randomGraph(seed, 5+int(seed%40), 2.2)
		provider := n.any()
		n.serve(provider)
		for range 10 {
			from := n.any()
			d := n.distance(from, provider)
			ttl := uint8(1 + n.rand.IntN(10))
			res, id := n.publish(from, "svc", func(p *Pub) { p.TTL = ttl })
			n.run(3 * time.Second)
			n.check(t, []sent{{res, id, from}})
			want := mesh.StatusOK
			if d > int(ttl) {
				want = mesh.StatusNoProvider
			}
			if res.Status != want {
				t.Fatalf("seed %d: %s to %s, %d links, ttl %d: %v", seed, from, provider, d, ttl, res.Status)
			}
			if res.Status == mesh.StatusOK && (int(res.Hops) > int(ttl) || int(res.Hops) < d) {
				t.Fatalf("seed %d: %d hops over %d links, ttl %d", seed, res.Hops, d, ttl)
			}
		}
	}
}

// A flood reaches every provider within the TTL once: also after prunes, after
// providers joined, and after links went.
func TestAllReached(t *testing.T) {
	saved := 0
	for seed := uint64(1); seed <= 500; seed++ {
		n := randomGraph(seed, 6+int(seed%25), 3.5)
		for range 3 {
			n.serve(n.any())
		}
		origins := []string{n.any(), n.any()}
		first := 0
		for round := range 14 {
			from := origins[round%2]
			before := n.sends
			res, id := n.publish(from, "svc", func(p *Pub) { p.Mode = mesh.ModeAll })
			n.run(2 * time.Second)
			if round < 2 {
				first += n.sends - before
			} else if round < 4 {
				saved += first/2 - (n.sends - before)
			}
			ran := map[string]int{}
			for _, p := range n.effects[id] {
				ran[nodeName(p)]++
			}
			for _, name := range n.names {
				d := n.distance(from, name)
				serves := n.nodes[name].r.Local()["svc"] != nil
				want := 0
				if serves && d >= 0 && d <= mesh.MaxTTL {
					want = 1
				}
				if ran[name] != want {
					t.Fatalf("seed %d round %d from %s: node %s at distance %d handled it %d times, want %d", seed, round, from, name, d, ran[name], want)
				}
			}
			if !res.done {
				t.Fatalf("seed %d round %d: no end", seed, round)
			}
			for _, b := range n.badHops {
				t.Fatalf("seed %d: %s", seed, b)
			}
			switch round {
			case 4, 6:
				n.serve(n.any())
			case 8, 10, 12:
				a := n.any()
				for _, b := range n.names {
					if n.nodes[a].links[b] != nil {
						n.cut(a, b)
						break
					}
				}
			}
			n.run(200 * time.Millisecond)
		}
	}
	if saved <= 0 {
		t.Errorf("prunes saved %d frames", saved)
	}
}

// An attacker who sends a copy ahead, with a bad proof or a TTL of 1, stops
// nothing.
func TestCopySentAhead(t *testing.T) {
	for _, flood := range []bool{false, true} {
		for _, bad := range []bool{false, true} {
			reset()
			n := newNetwork(5)
			// The attacker m is a neighbour of b; the way is a-b-c-d.
			for _, l := range []string{"a-b", "b-c", "c-d", "m-b"} {
				n.link(l[:1], l[2:], 5*time.Millisecond)
			}
			n.serve("d")
			if warm, _ := n.publish("a", "svc", nil); true {
				n.run(time.Second)
				if warm.Status != mesh.StatusOK {
					t.Fatal(warm.Status)
				}
			}
			res, id := n.publish("a", "svc", func(p *Pub) {
				if flood {
					p.Mode = mesh.ModeAll
				}
			})
			m := *frameOf(n, id)
			hop := mesh.HopHeader{TTL: 1, Hops: 0, Bound: nodeID("d"), Seq: 1}
			if flood {
				hop.Flags, hop.Bound = mesh.FlagFlood, ""
			}
			if bad {
				m.bad = true
				m.key[0]++ // the key covers the proof
				hop.TTL = 9
			}
			if !flood && !bad {
				hop.TTL = 1 // a unicast copy with TTL 1: the node that takes it cannot pass it on
				hop.Attempt = 9
			}
			b := n.nodes["b"]
			b.gotFrame(b.links["m"].port, hop, &m) // ahead of the true one
			n.run(5 * time.Second)
			if res.Status != mesh.StatusOK || len(n.effects[id]) != 1 {
				t.Errorf("flood %v, bad %v: %v, %d effects", flood, bad, res.Status, len(n.effects[id]))
			}
		}
	}
}

// frameOf finds the message among what the nodes have sent.
func frameOf(n *network, id mesh.ID) *msg {
	for _, s := range n.nodes {
		for _, m := range s.sent {
			if m.id == id {
				return m
			}
		}
	}
	return nil
}

// Equal inputs with an equal seed give equal outputs.
func TestDeterministic(t *testing.T) {
	once := func() string {
		n := randomGraph(42, 25, 4)
		for range 4 {
			n.serve(n.any())
		}
		for i := range 60 {
			n.publish(n.any(), "svc", func(p *Pub) {
				if i%3 == 0 {
					p.Mode = mesh.ModeAll
				}
				p.Expires = n.now.Add(3 * time.Second)
			})
			n.run(20 * time.Millisecond)
			if i%10 == 9 {
				n.kill(n.any())
			}
		}
		n.run(10 * time.Second)
		return fmt.Sprint(n.trace)
	}
	if a, b := once(), once(); a != b {
		t.Error("two runs of one seed differ")
	}
}
