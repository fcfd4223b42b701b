package sim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// runs runs a scenario and fails on what must never be.
func runs(t *testing.T, sc *Scenario) *Result {
	t.Helper()
	res, err := Run(t.Context(), sc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if res.Figures["messages"] == 0 {
		t.Error("no message was sent")
	}
	return res
}

// quiet is a link without chance.
var quiet = Link{Latency: 10 * time.Millisecond}

func TestLine(t *testing.T) {
	// The only provider is at one end; the others are 1 to 4 hops away, so that
	// they make 2.5 on average.
	sc := &Scenario{
		Nodes: 5, Seed: 3, Duration: 60 * time.Second, Link: quiet, Topology: Topology{Kind: "line"},
		Services: []Service{{Name: "svc"}}, Traffic: []Traffic{{To: "svc", Rate: 2, From: 0.2}},
	}
	want := map[int]float64{}
	for seed := uint64(1); seed < 20; seed++ {
		sc.Seed = seed
		s := build(t, sc)
		from, at := s.flows[0].senders[0], s.servers[0].node
		if from == at {
			continue
		}
		if err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		hops := float64(max(from-at, at-from))
		f := s.result().Figures
		if f["hops.mean"] != hops || f["stretch.mean"] != 1 || f["delivered"] != 1 || f["copies.mean"] != hops || f["copies.extra"] != 0 {
			t.Errorf("%d to %d: %v", from, at, f)
		}
		// There and back; the first of about 120 messages is found by probes.
		if trip := 2 * hops * 10; f["latency.p50"] < trip || f["latency.p50"] > trip+1 {
			t.Errorf("%d to %d: median of latency is %v ms, want %v", from, at, f["latency.p50"], trip)
		}
		want[int(hops)]++
	}
	if want[4] == 0 || want[1] == 0 {
		t.Errorf("distances seen: %v", want)
	}
}

// build makes a run that has not begun.
func build(t testing.TB, sc *Scenario) *sim {
	t.Helper()
	own := sc.clone()
	if err := own.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := newSim(own, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFloodOnRing(t *testing.T) {
	// A flood on a ring of 9 goes both ways round and meets: with TTL 10 all 9
	// providers hear it, over 8 links and one or two copies too many.
	res := runs(t, &Scenario{
		Nodes: 9, Duration: 20 * time.Second, Link: quiet, Topology: Topology{Kind: "ring"},
		Services: []Service{{Name: "svc", Providers: 9}}, Traffic: []Traffic{{To: "svc", Rate: 0.5, Mode: "all"}},
	})
	f := res.Figures
	if f["all.reach"] != 1 || f["delivered"] != 1 || f["lies"] != 0 {
		t.Errorf("figures: %v, failures %+v", f, res.Failures)
	}
	if f["all.ratio"] < 1 || f["all.ratio"] > 1.25 {
		t.Errorf("all.ratio is %v, want 1 to 1.25", f["all.ratio"])
	}
}

func TestCutAndHeal(t *testing.T) {
	sc := &Scenario{
		Nodes: 60, Duration: 60 * time.Second, Warmup: 5 * time.Second, Topology: Topology{Degree: 6},
		Services: []Service{{Name: "svc", Providers: 12}}, Traffic: []Traffic{{To: "svc", Rate: 2}},
	}
	calm := runs(t, sc)
	if d := calm.Figures["delivered"]; d != 1 || calm.FailureCount != 0 {
		t.Errorf("without an event: delivered %v, %+v", d, calm.Failures)
	}
	for _, e := range []Event{
		{What: "cut", At: 20 * time.Second, Share: 0.5},
		{What: "silence", At: 20 * time.Second, For: 15 * time.Second, Share: 0.3},
		{What: "partition", At: 20 * time.Second, For: 15 * time.Second, Share: 0.4},
		{What: "kill", At: 20 * time.Second, For: 10 * time.Second, Share: 0.2},
		{What: "kill", At: 20 * time.Second, Share: 0.5, Service: "svc"},
		{What: "crowd", At: 20 * time.Second, For: 5 * time.Second, Factor: 5},
		{What: "join", At: 20 * time.Second, For: 5 * time.Second, Share: 0.5},
	} {
		sc.Events = []Event{e}
		// What a provider had when it died for good, nobody else may do otherwise.
		sc.Traffic[0].Failover = e.Service != ""
		res := runs(t, sc)
		f := res.Figures
		if f["delivered"] < 0.99 || f["lies"] != 0 {
			t.Errorf("%s: delivered %v, lies %v; %+v", e.What, f["delivered"], f["lies"], res.Failures[:min(3, len(res.Failures))])
		}
		if f["heal.time"] > 20 {
			t.Errorf("%s: healed after %v s", e.What, f["heal.time"])
		}
		if e.What == "partition" && f["latency.p99"] < 2*calm.Figures["latency.p99"] {
			t.Errorf("%s: nobody noticed it", e.What)
		}
	}
}

// TestSilenceIsNoticed: of a provider that goes silent, its neighbours lose
// the link within the time of the heartbeat, busy or idle.
func TestSilenceIsNoticed(t *testing.T) {
	s := build(t, &Scenario{Nodes: 2, Duration: 30 * time.Second, Link: quiet, Topology: Topology{Kind: "line"}, Services: []Service{{Name: "svc"}}})
	s.hush(0)
	gen := s.ends[0].gen
	for s.ends[0].gen == gen && s.now < int64(20*time.Second) {
		s.step()
	}
	if least, most := 3*time.Second, 3*time.Second+idlePing; s.now < int64(least) || s.now > int64(most) {
		t.Errorf("both ends closed after %v, want %v to %v", time.Duration(s.now), least, most)
	}

	s = build(t, &Scenario{Nodes: 2, Duration: 30 * time.Second, Link: quiet, Topology: Topology{Kind: "line"}, Services: []Service{{Name: "svc"}}})
	s.hush(0)
	m := s.newMsg(0, s.nodeAddrOf(1), mesh.TypeData, time.Minute)
	s.put(0, flight{carries: carriesFrame, msg: m.index, bound: 1, seq: 1}, 1000, true)
	suspect := int64(0)
	for s.ends[0].up {
		if s.step(); s.ends[0].suspect && suspect == 0 {
			suspect = s.now
		}
	}
	if suspect != int64(time.Second) || s.now != int64(3*time.Second) {
		t.Errorf("an end that awaits something is suspect after %v and cut after %v", time.Duration(suspect), time.Duration(s.now))
	}
}

func TestTruthIsTold(t *testing.T) {
	sc := &Scenario{
		Nodes: 20, Duration: 10 * time.Second, Topology: Topology{Degree: 4},
		Services: []Service{{Name: "svc", Providers: 4}}, Traffic: []Traffic{{To: "svc", Rate: 1}},
	}
	s := build(t, sc)
	s.lies = func(v int32) bool { return v == 0 } // says OK and does nothing
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	res := s.result()
	if res.Figures["lies"] == 0 || res.FailureCount == 0 || !res.Failures[0].Lie {
		t.Errorf("a handler that does nothing is believed: %v, %+v", res.Figures, res.Failures)
	}
}

// TestNothingIsLeft: when all has come to its end, no message, flight or job
// is held by anybody.
func TestNothingIsLeft(t *testing.T) {
	sc := scenarioOf("random-regular", "")
	s := build(t, sc)
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range s.nodes {
		s.die(int32(i), true)
	}
	for _, x := range s.queue.heap {
		if x.kind() == evWork {
			s.worked(int32(x.a))
		}
	}
	if s.msgs.live != 0 || s.jobs.live != 0 || s.flights.inUse() != 0 {
		t.Errorf("left: %d messages, %d jobs, %d flights", s.msgs.live, s.jobs.live, s.flights.inUse())
	}
}

func (s *flights) inUse() int {
	n := len(s.all)
	for i := s.free; i > 0; i = s.all[i-1].next {
		n--
	}
	return n
}

// scenarioOf is small and has everything that could be in a different order.
func scenarioOf(topology, attacker string) *Scenario {
	sc := &Scenario{
		Name: topology + attacker, Nodes: 60, Seed: 11, Warmup: 2 * time.Second, Duration: 8 * time.Second,
		Topology: Topology{Kind: topology, NAT: map[string]float64{"cone": 0.3, "symmetric": 0.1}, PunchFails: 0.3},
		Link:     Link{Latency: 5 * time.Millisecond, Spread: 20 * time.Millisecond, Jitter: 0.3, Loss: 0.01, Bandwidth: 1 << 20},
		Services: []Service{
			{Name: "svc-#", Count: 3, Providers: 6, Attributes: map[string]string{"gpu": "yes|no", "os": "a|b"}, Handler: Handler{Time: 5 * time.Millisecond, Spread: 20 * time.Millisecond, Concurrency: 2, Queue: 4, Fails: 0.02}, Slow: 1, SlowTime: time.Second},
			{Name: "all", Share: 0.3},
		},
		Traffic: []Traffic{
			{To: "svc-#", Rate: 1, Draw: "message", Skew: 0.8, Deadline: 5 * time.Second},
			{To: "svc-0{gpu=yes}", Rate: 0.5, Request: true, Failover: true, Deadline: 5 * time.Second},
			{To: "all", Rate: 0.1, Mode: "all", Deadline: 5 * time.Second},
			{To: "svc-1", Rate: 0.2, Class: "fire", Deadline: 5 * time.Second},
			{To: "node:#", Rate: 0.1, Draw: "message", Deadline: 3 * time.Second},
		},
		Churn:  Churn{Rate: 0.5, Downtime: 3 * time.Second, Kill: 0.5, Trace: []Leave{{At: 4 * time.Second, For: time.Second, Node: 7}}},
		Events: []Event{{What: "silence", At: 3 * time.Second, For: 2 * time.Second, Share: 0.1}},
	}
	switch topology {
	case "line", "ring", "tree":
		sc.Nodes = 24
	case "regions":
		sc.Topology.Regions = []Region{{Name: "eu"}, {Name: "us", Share: 0.3}}
	}
	if attacker != "" {
		sc.Attackers = []Attacker{{Kind: attacker, Share: 0.1, Strength: 0.5}}
	}
	return sc
}

func TestSameSeedSameResult(t *testing.T) {
	var all []*Scenario
	for _, k := range topologies {
		all = append(all, scenarioOf(k, ""))
	}
	for _, k := range sorted(attackKinds) {
		all = append(all, scenarioOf("random-regular", k))
	}
	other := scenarioOf("line", "")
	other.Seed++
	if a, b := runs(t, all[0]), runs(t, other); a.Events == b.Events {
		t.Error("another seed gives the same run")
	}
	for _, sc := range all {
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			var told [2]string
			for i := range told {
				res := runs(t, sc)
				res.Cost = Cost{}
				b, err := json.Marshal(res)
				if err != nil {
					t.Fatal(err)
				}
				told[i] = string(b)
				// A frame that comes again can reach a provider that had been busy, and
				// whose message went elsewhere: replays do make lies.
				if lies := res.Figures["lies"]; lies != 0 && !strings.Contains(sc.Name, "replayer") {
					for _, f := range res.Failures {
						if f.Lie {
							t.Errorf("a lie: %+v", f)
						}
					}
				}
			}
			if told[0] != told[1] {
				t.Errorf("two runs of one seed differ:\n%s\n%s", told[0], told[1])
			}
		})
	}
}
