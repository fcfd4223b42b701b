package hosts

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// TestTwice: two runs of one seed agree on which node handled which message,
// after how many hops and at which virtual nanosecond, and on when its sender
// was told; another seed gives something else.
func TestTwice(t *testing.T) {
	trace := func(seed uint64) []string {
		s := &sim.Scenario{
			Name: "twice", Nodes: 60, Seed: seed, Warmup: time.Second, Duration: 10 * time.Second,
			Topology: sim.Topology{Kind: "random-regular"},
			Link:     sim.Link{Latency: 5 * time.Millisecond, Spread: 45 * time.Millisecond},
			Services: []sim.Service{{Name: "svc-#", Count: 20, Providers: 1, Handler: sim.Handler{Time: time.Millisecond}}},
			Traffic:  []sim.Traffic{{To: "svc-#", Rate: 1, From: 0.25, Request: true}},
		}
		var out []string
		bubble(t, func(t *testing.T) {
			p, err := run(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range p.account.all {
				slices.SortFunc(m.visits, func(a, b visit) int { return cmp.Compare(a.At, b.At) })
				out = append(out, fmt.Sprint(i, " sent ", m.at, " handled ", m.visits, " told ", m.told, m.status, m.ended))
			}
		})
		return out
	}
	first := trace(1)
	if len(first) < 100 {
		t.Fatalf("%d messages: want at least 100", len(first))
	}
	second := trace(1)
	if len(second) != len(first) {
		t.Fatalf("%d messages, then %d", len(first), len(second))
	}
	for i := range first {
		if first[i] != second[i] {
			t.Errorf("first:  %s\nsecond: %s", first[i], second[i])
		}
	}
	if slices.Equal(first, trace(2)) {
		t.Error("another seed gave the same")
	}
}
