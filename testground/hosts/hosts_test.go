package hosts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/report"
	"github.com/meshnode/meshnode/internal/sim/scenarios"
)

// senders is how many nodes send: to find a provider for the first time costs
// a flood of probes, of which every node checks the signature.
const senders = 50

// TestHosts plays scenarios of the simulator's library, with as many nodes and
// messages as two cores play in a minute. MESHNODE_HOSTS sets another number
// of nodes. -v prints the figures, and the changes with which the simulator
// plays the same; -parallel 1 keeps the cost of one from being counted for
// another.
func TestHosts(t *testing.T) {
	nodes := count(t, 200)
	from := fmt.Sprintf("%.2f%%", 100*min(1, senders/float64(nodes)))
	for _, c := range []struct {
		name   string
		change []string
	}{
		{"discovery", []string{"traffic.first.from=" + from, "traffic.first.rate=0.034"}},
		{"random-regular", []string{"warmup=5s", "duration=20s", "traffic.work.from=" + from, "traffic.work.rate=2"}},
		{"multicast", []string{"warmup=5s", "duration=10s", "traffic.headlines.rate=1"}},
		{"partition", []string{
			"warmup=10s", "duration=45s", "events.0.at=10s", "events.0.for=20s",
			"traffic.work.from=" + from, "traffic.work.rate=0.4",
		}},
		// A tenth of the nodes in a minute. A message whose provider is
		// killed under it is lost, and with so few each counts.
		{"churn", []string{
			"warmup=10s", "duration=1m", "churn.rate=10%", "churn.downtime=30s", "traffic.work.from=" + from, "traffic.work.rate=0.4", "expect.delivered=>= 0.99",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.change = append(c.change, fmt.Sprintf("nodes=%d", nodes))
			s := load(t, c.name, c.change...)
			t.Logf("%s with %s", c.name, strings.Join(c.change, " "))
			judge(t, s, playIn(t, s))
		})
	}
}

// load reads a scenario of the library.
func load(t *testing.T, name string, change ...string) *sim.Scenario {
	t.Helper()
	text, err := scenarios.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		if err := scenarios.Set(s, c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func playIn(t *testing.T, s *sim.Scenario) *sim.Result {
	t.Helper()
	var r *sim.Result
	cost := bubble(t, func(t *testing.T) {
		var err error
		if r, err = Run(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	})
	if r == nil {
		t.FailNow()
	}
	r.Cost = cost
	return r
}

// judge prints the figures and holds them against what the scenario expects.
func judge(t *testing.T, s *sim.Scenario, r *sim.Result) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d nodes, %.0f s of virtual time; wall %.1f s, CPU %.1f s, memory %d MiB\n",
		r.Nodes, r.Virtual.Seconds(), r.Cost.Wall.Seconds(), r.Cost.CPU.Seconds(), r.Cost.PeakMemory>>20)
	for _, g := range report.Grouped(r, s.Expect) {
		for _, row := range g.Rows {
			fmt.Fprintf(&b, "%-16s %12s   %s\n", row.Name, row.Unit.Format(row.Value), row.Expected)
			if row.Missed {
				t.Errorf("%s is %s: want %s", row.Name, row.Unit.Format(row.Value), row.Expected)
			}
		}
	}
	for _, m := range r.Missed {
		t.Error(m)
	}
	for _, name := range []string{"hops.mean", "delivered"} {
		if r.Figures[name] == 0 {
			t.Errorf("%s is 0: nothing arrived", name)
		}
	}
	fmt.Fprintf(&b, "outcomes         %v", r.Outcomes)
	t.Log(b.String())
	for i, f := range r.Failures {
		if i == 10 {
			break
		}
		t.Logf("message %d of node %d to %s at %v: %s: %s (lie: %v)", f.Message, f.From, f.To, f.At, f.Outcome, f.Why, f.Lie)
	}
}
