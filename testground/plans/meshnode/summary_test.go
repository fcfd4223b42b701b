package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// mesh5 is a line of five in which the last serves, and the first sends: at
// the times given, in ms, each delivered in 10 ms over four hops.
func mesh5(at ...float64) []*report {
	var out []*report
	for i, peer := range []string{"A", "B", "C", "D", "E"} {
		out = append(out, &report{Instance: i, Peer: peer, Phases: map[string]phase{"one": {Frames: 3}}, CPU: 1, Memory: float64(10 * (i + 1))})
	}
	for _, t := range at {
		id := string(rune('a' + len(out[0].Words)))
		out[0].Words = append(out[0].Words, word{ID: id, Flow: flowConfirm, Phase: "one", Status: mesh.StatusOK, By: []told{{"E"}}, At: t, Took: 10, Tries: 1})
		out[4].Sights = append(out[4].Sights, sight{ID: id, Hops: 4, Runs: 1})
	}
	return out
}

// lose makes the message at an index come to nothing.
func lose(r []*report, index int) {
	r[0].Words[index].Status, r[0].Words[index].By = mesh.StatusNoProvider, nil
	id := r[0].Words[index].ID
	r[4].Sights = slices.DeleteFunc(r[4].Sights, func(s sight) bool { return s.ID == id })
}

var fifthServes = roles{providers: [][]int{{4}}}

func expect(t *testing.T, s *summary, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if got, ok := s.Figures[name]; !ok || got != v {
			t.Errorf("%s is %v, want %v", name, got, v)
		}
	}
}

func TestSummary(t *testing.T) {
	s := summarize("multihop", params{delivered: 1}, line, fifthServes, mesh5(0, 100))
	expect(t, s, map[string]float64{
		"messages": 2, "delivered": 1, "hops.mean": 4, "stretch.mean": 1, "latency.p50": 10, "lies": 0,
		"frames.mean": (5*3 + 2) / 2.0, "memory.mean": 30, "memory.max": 50, "cpu.mean": 1,
	})
	if len(s.Missed) > 0 || s.Outcomes["ok"] != 2 {
		t.Errorf("missed %q, outcomes %v", s.Missed, s.Outcomes)
	}
}

func TestSummaryOfALoss(t *testing.T) {
	r := mesh5(0, 100)
	lose(r, 1)
	s := summarize("multihop", params{delivered: .9}, line, fifthServes, r)
	expect(t, s, map[string]float64{"delivered": .5, "due.share": 1})
	if len(s.Missed) != 1 || !strings.Contains(s.Missed[0], "0.5000 of the messages") {
		t.Errorf("missed %q", s.Missed)
	}
	if len(s.Failures) != 1 || s.Failures[0].At != 100 {
		t.Errorf("failures %v", s.Failures)
	}
}

// TestWarmup: what is sent before is judged, but in no figure.
func TestWarmup(t *testing.T) {
	r := mesh5(0, 100)
	lose(r, 1)
	r[0].Words[1].Phase = warmup
	s := summarize("multihop", params{delivered: .9}, line, fifthServes, r)
	expect(t, s, map[string]float64{"messages": 1, "delivered": 1})
	r[4].Sights = append(r[4].Sights, sight{ID: "b", Hops: 4, Runs: 1})
	if s := summarize("multihop", params{}, line, fifthServes, r); s.Lies != 1 {
		t.Errorf("%d lies: a refusal of what was done is one, also in the warm-up", s.Lies)
	}
}

// TestDue: a message whose only provider, or sender, was down is not counted.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		down           int
		due, delivered float64
	}{{0, .5, 1}, {4, .5, 1}, {2, 1, .5}} {
		r := mesh5(0, 100)
		lose(r, 1)
		r[c.down].Downs = []span{{105, 500}}
		s := summarize("churn", params{}, line, fifthServes, r)
		expect(t, s, map[string]float64{"due.share": c.due, "delivered": c.delivered})
	}
}

func TestHealing(t *testing.T) {
	r := mesh5(500, 1500, 2500, 3500, 4500)
	// The fifth is cut off from 1 s on for 2 s, but for the services of its side.
	split := roles{providers: [][]int{{4}}, small: []bool{false, false, false, false, true}}
	lose(r, 2)
	lose(r, 1)
	p := params{partition: .2, partitionAt: 1e9, partitionFor: 2e9}
	s := summarize("partition", p, line, split, r)
	expect(t, s, map[string]float64{"due.share": .6, "delivered": 1, "heal.time": 0})

	r[0].Words[3].Took = 2000 // delivered, and late
	s = summarize("partition", p, line, split, r)
	expect(t, s, map[string]float64{"heal.time": 0, "prompt.time": 3})

	r[1].Relinked = 600 // the way was not back yet
	lose(r, 3)
	s = summarize("partition", p, line, split, r)
	expect(t, s, map[string]float64{"due.share": .4})
}

func TestStats(t *testing.T) {
	s := sample{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, .5: 3, .8: 4, .81: 5, 1: 5} {
		if got := s.quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := s.mean(); got != 3 {
		t.Errorf("mean is %v, want 3", got)
	}
	if (sample{}).mean() != 0 || (sample{}).quantile(.5) != 0 || ratio(1, 0) != 0 {
		t.Error("nothing has a mean, a median or a share")
	}
}
