package sim

import (
	"testing"
	"time"
)

// TestAttackersDoHarm: a kind that does harm whatever the router does changes
// the figure that it is about.
func TestAttackersDoHarm(t *testing.T) {
	sc := &Scenario{
		Nodes: 80, Duration: 8 * time.Second,
		Services: []Service{{Name: "svc", Providers: 10}, {Name: "all", Providers: 30}},
		Traffic:  []Traffic{{To: "svc", Rate: 1, Deadline: 5 * time.Second}, {To: "all", Rate: 0.05, Mode: "all", Deadline: 5 * time.Second}},
	}
	calm := runs(t, sc).Figures
	for _, c := range []struct {
		kind     string
		strength float64
		figure   string
		atMost   float64 // times the calm one; negative: at least
	}{
		{"blackhole", 0, "delivered", 0.97},
		{"sybil", 3, "delivered", 0.97},
		{"dropper", 1, "delivered", 0.999},
		{"flooder", 2, "control.bytes", -2},
		{"replayer", 2, "copies.extra", -1},
		{"liar", 0, "", 0}, // of these two only that nobody is told a lie
		{"ttl1", 0, "", 0},
	} {
		a := sc.clone()
		a.Attackers = []Attacker{{Kind: c.kind, Share: 0.15, Strength: c.strength}}
		f := runs(t, a).Figures
		t.Logf("%s: %s %.4f, without it %.4f; delivered %.4f", c.kind, c.figure, f[c.figure], calm[c.figure], f["delivered"])
		if c.atMost > 0 && f[c.figure] > c.atMost*calm[c.figure] || c.atMost < 0 && f[c.figure] <= -c.atMost*calm[c.figure] {
			t.Errorf("%s: %s is %v, and %v without it", c.kind, c.figure, f[c.figure], calm[c.figure])
		}
		if f["lies"] != 0 && c.kind != "replayer" {
			t.Errorf("%s: %v lies", c.kind, f["lies"])
		}
	}
}
