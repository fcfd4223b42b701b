package router

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const ms = time.Millisecond

// path links names in a row.
func (n *network) path(names ...string) {
	for i := 1; i < len(names); i++ {
		n.link(names[i-1], names[i], ms)
	}
}

// A search that follows another hears nothing from behind the one it follows:
// its origin asks once more, and finds who is there.
func TestFollowerAsksAlone(t *testing.T) {
	reset()
	n := newNetwork(1)
	n.path("A", "y", "B", "q", "P")
	n.serve("P")
	n.run(5 * time.Second)
	b, _ := n.publish("B", "svc", nil)
	n.run(ms)
	a, _ := n.publish("A", "svc", nil)
	n.run(20 * time.Second)
	if n.nodes["y"].r.stats.Joined == 0 {
		t.Error("no search followed another")
	}
	if a.Status != mesh.StatusOK || b.Status != mesh.StatusOK {
		t.Errorf("A: %v, B: %v", a.Status, b.Status)
	}
}

// Whoever looks for a provider within the TTL finds it, however many look at the
// same time, in meshes of few and of many links; and they share their searches.
func TestCrowdFindsTheOnlyProvider(t *testing.T) {
	for _, c := range []struct {
		degree  float64
		senders int
		apart   int // ms at most
	}{{2.4, 4, 60}, {4, 30, 10}} {
		total, joined := 0, uint64(0)
		for seed := range uint64(40) {
			n := randomGraph(seed, 60, c.degree)
			provider := n.any()
			n.serve(provider)
			n.run(5 * time.Second)
			r := rand.New(rand.NewPCG(seed, 3))
			var results []*result
			var from []string
			for range c.senders {
				name := n.names[r.IntN(len(n.names))]
				res, _ := n.publish(name, "svc", nil)
				results, from = append(results, res), append(from, name)
				n.run(time.Duration(r.IntN(c.apart)) * ms)
			}
			n.run(40 * time.Second)
			for i, res := range results {
				if d := n.distance(from[i], provider); d >= 0 && d <= mesh.MaxTTL {
					total++
					if res.Status != mesh.StatusOK {
						t.Errorf("degree %v, seed %d: %s, %d hops from %s: %v after %v", c.degree, seed, from[i], d, provider, res.Status, res.at)
					}
				}
			}
			for _, name := range n.names { // two searches may wait for each other until they expire
				n.nodes[name].r.Sweep(n.now)
				n.nodes[name].act()
			}
			n.run(time.Second)
			for _, name := range n.names {
				r := n.nodes[name].r
				joined += r.stats.Joined
				if len(r.searches) > 0 || len(r.probes) > 0 {
					t.Errorf("seed %d: %s holds %d searches and %d probes", seed, name, len(r.searches), len(r.probes))
				}
			}
		}
		if total < 100 || joined == 0 {
			t.Errorf("degree %v: %d messages, %d searches joined", c.degree, total, joined)
		}
	}
}

// All of many providers behind one neighbour are found.
func TestManyBehindOneNeighbour(t *testing.T) {
	reset()
	n := newNetwork(1)
	n.link("A", "hub", ms)
	for i := range 32 {
		n.link("hub", fmt.Sprint("p", i), ms)
		n.serve(fmt.Sprint("p", i))
	}
	among := new(Among)
	var results []*result
	for range 32 {
		res, _ := n.publish("A", "svc", func(p *Pub) { p.Among, p.Need = among, 32 })
		results = append(results, res)
	}
	n.run(20 * time.Second)
	for i, res := range results {
		if res.Status != mesh.StatusOK {
			t.Errorf("message %d: %v", i, res.Status)
		}
	}
}

// A probe in the background brings no news to a publication: none waits for one.
func TestNobodyWaitsForTheBackground(t *testing.T) {
	d := newDesk(t, nil)
	d.provider("a", nil)
	d.ask("svc", nil)
	d.asks = allowance{at: d.now.UnixNano(), left: 2}
	d.wanted["svc"] = &wanted{uses: widenAfter}
	short := func(p *Pub) { p.TTL = 2 }
	p := &Pub{ID: mesh.ID{8}, To: mesh.Service("svc"), Mode: mesh.ModeOne, Class: mesh.ClassConfirm, TTL: 2, Expires: d.now.Add(time.Minute)}
	d.Publish(d.now, p)
	if d.stats.Asked != 1 {
		t.Fatalf("%d questions in the background", d.stats.Asked)
	}
	if _, out := d.ask("svc", func(p *Pub) { short(p); p.Need = 2 }); out.Status != mesh.StatusOK {
		t.Errorf("%v", out.Status)
	}
}

// One of several that must differ asks its own provider again after a refusal.
func TestAmongAsksAgain(t *testing.T) {
	d := newDesk(t, nil)
	d.provider("a", nil)
	d.say["a"] = Checked{Status: mesh.StatusBusy}
	among := new(Among)
	asked, out := d.ask("svc", func(p *Pub) { p.Among, p.Expires = among, d.now.Add(3*time.Second) })
	if len(asked) < 2 || out.Status != mesh.StatusBusy {
		t.Errorf("asked %v, %v", asked, out.Status)
	}
}

// A search in vain says nothing about a wider one.
func TestLostWithinATTL(t *testing.T) {
	reset()
	n := newNetwork(1)
	n.path("A", "b", "c", "X")
	n.node("X").r.SetLocal(n.now, NodeService, []mesh.Attributes{{}})
	to := mesh.Node(nodeID("X")).String()
	first, _ := n.publish("A", to, func(p *Pub) { p.TTL = 1 })
	n.run(200 * ms)
	second, _ := n.publish("A", to, nil)
	n.run(20 * time.Second)
	if first.Status != mesh.StatusNoRoute || second.Status != mesh.StatusOK {
		t.Errorf("TTL 1: %v, then TTL 10: %v", first.Status, second.Status)
	}
}

// Who was lost is looked for anew, and widely, when there is a new link.
func TestLostUntilANewLink(t *testing.T) {
	reset()
	n := newNetwork(1)
	n.path("A", "z")
	n.path("r0", "r1", "r2", "r3", "r4", "r5", "r6", "X")
	n.node("X").r.SetLocal(n.now, NodeService, []mesh.Attributes{{}})
	to := mesh.Node(nodeID("X")).String()
	first, _ := n.publish("A", to, nil)
	n.run(5 * time.Second)
	n.link("A", "r0", ms)
	n.run(time.Second)
	second, _ := n.publish("A", to, nil)
	n.run(5 * time.Second)
	if first.Status != mesh.StatusNoRoute || second.Status != mesh.StatusOK {
		t.Errorf("apart: %v, linked: %v", first.Status, second.Status)
	}
}

// A node that is gone is searched for widely once in half a minute, not at every
// retry of everybody who waits for its word.
func TestGoneIsNotFloodedFor(t *testing.T) {
	n := randomGraph(5, 60, 4)
	n.link("0", "p", 10*ms)
	n.serve("p")
	n.nodes["p"].slow = time.Hour
	n.run(time.Second)
	var results []*result
	for range 10 {
		res, _ := n.publish("0", "svc", func(p *Pub) { p.Expires = n.now.Add(25 * time.Second) })
		results = append(results, res)
	}
	n.run(time.Second)
	n.kill("p")
	before := n.sends
	n.run(26 * time.Second)
	for _, res := range results {
		if res.Status != mesh.StatusTimeout {
			t.Errorf("%v", res.Status)
		}
	}
	// One flood of the whole mesh is about 250 crossings; a ring of TTL 4 to a
	// node that is not there is about 100.
	if cost := n.sends - before; cost > 1200 {
		t.Errorf("%d crossings to look for who is gone", cost)
	}
}

// A node names a provider with a record that holds, and no other.
func TestNamedRecordsHold(t *testing.T) {
	d := newDesk(t, nil)
	d.port["a"] = d.LinkUp(d.now, nodeID("a"))
	asker := d.LinkUp(d.now, nodeID("n"))
	d.know(d.now, &mesh.Record{Provider: nodeID("a"), Service: "svc", Epoch: 1, Expires: d.now.Add(10 * time.Minute)}, 0, []byte("sealed"))
	named := func(no uint64) (n int) {
		f := &Frame{Key: Key{no, 5}}
		f.Hop.HopHeader = mesh.HopHeader{Flags: mesh.FlagProbe, TTL: 2, Reach: 10, Seq: no}
		f.View = mesh.View{
			Origin: []byte(nodeID("n")), Address: []byte("svc"), Mode: mesh.ModeAll, Class: mesh.ClassFire, Type: mesh.TypeProbe,
			Created: mesh.TimeOf(d.now), Expires: mesh.TimeOf(d.now.Add(2 * time.Second)), TTL: 2,
		}
		d.Take(nil)
		d.Verified(d.now, asker, f)
		for _, a := range d.Take(nil) {
			if a.Op == OpAnswer && a.Answer.Status == mesh.StatusAble {
				n++
			}
		}
		return n
	}
	d.ask("svc", nil)
	if got := named(1); got != 1 {
		t.Errorf("%d named while the record holds", got)
	}
	for range 20 { // the provider's words renew it for this node, not for others
		d.now = d.now.Add(30 * time.Second)
		if asked, _ := d.ask("svc", nil); len(asked) != 1 {
			t.Fatal("the provider is not known any more")
		}
	}
	if got := named(2); got != 0 {
		t.Errorf("%d named by a record that has expired", got)
	}
}

// What failed long ago does not come back with a new record.
func TestFailuresFade(t *testing.T) {
	d := newDesk(t, nil)
	d.provider("a", nil)
	d.say["a"] = Checked{Status: mesh.StatusHandlerFailed}
	for range 4 {
		d.ask("svc", nil)
	}
	at := candidateOf(d, "a").Cost.Failures
	d.now = d.now.Add(5 * time.Minute)
	later := candidateOf(d, "a").Cost.Failures
	d.tell("a", nil, time.Time{})
	if again := candidateOf(d, "a").Cost.Failures; at < 2 || later > 0.2 || again > 0.2 {
		t.Errorf("failures cost %.2f at once, %.2f five minutes later, %.2f with a new record", at, later, again)
	}
}

// A zone of any value can be looked for.
func TestZoneIsQuoted(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Zone = []Level{{"rack", "a|b 7"}} })
	d.provider("a", nil)
	d.asks = allowance{at: d.now.UnixNano(), left: 2}
	for range widenAfter + 1 {
		d.ask("svc", nil)
	}
	if d.stats.Asked != 1 {
		t.Errorf("%d searches for the zone", d.stats.Asked)
	}
}
