package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// tale is two instances: the first sends message m, the second handles it.
func tale() []*report {
	return []*report{
		{Instance: 0, Peer: "A", Words: []word{{ID: "m", Flow: flowRequest, Status: mesh.StatusOK, By: []told{{"B"}}}}},
		{Instance: 1, Peer: "B", Sights: []sight{{ID: "m", Hops: 1, Runs: 1}}},
		{Instance: 2, Peer: "C"},
	}
}

func TestReckon(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(r []*report)
		failover bool
		lie      string // part of the sentence; empty: none
		repeats  int
		doubles  int
	}{
		"the truth":                    {change: func([]*report) {}},
		"ok, and nobody saw it":        {change: func(r []*report) { r[1].Sights = nil }, lie: "has not seen it"},
		"ok by the wrong one":          {change: func(r []*report) { r[0].Words[0].By = []told{{"C"}} }, lie: "instance 3, whose handler has not seen it"},
		"ok by a stranger":             {change: func(r []*report) { r[0].Words[0].By = []told{{"X"}} }, lie: "no instance"},
		"ok by nobody":                 {change: func(r []*report) { r[0].Words[0].By = nil }, lie: "not by whom"},
		"refused, but done":            {change: refuse(mesh.StatusBusy), lie: "busy, but instance 2 handled it"},
		"faulty, but done":             {change: refuse(mesh.StatusExpired), lie: "expired, but"},
		"unknown, and done":            {change: refuse(mesh.StatusTimeout)},
		"unknown, and not done":        {change: func(r []*report) { refuse(mesh.StatusUnknown)(r); r[1].Sights = nil }},
		"refused, and not done":        {change: func(r []*report) { refuse(mesh.StatusNoProvider)(r); r[1].Sights = nil }},
		"twice in a life":              {change: func(r []*report) { r[1].Sights[0].Runs = 2 }, lie: "2 times in one life"},
		"again after a restart":        {change: handledAgain, repeats: 1},
		"at two providers":             {change: handledByTwo, lie: "one provider was asked, and 2 handled it"},
		"at two providers, with leave": {change: handledByTwo, failover: true, doubles: 1},
		"to all, at two providers":     {change: func(r []*report) { handledByTwo(r); r[0].Words[0].Flow = flowAll }},
		"changed on the way":           {change: func(r []*report) { r[1].Sights[0].Bad = "came with another payload" }, lie: "another payload"},
		"the wrong reply":              {change: func(r []*report) { r[0].Words[0].Bad = "got the reply to another message" }, lie: "reply to another"},
		"too far":                      {change: func(r []*report) { r[1].Sights[0].Hops = 11 }, lie: "11 hops"},
		"sent by nobody":               {change: func(r []*report) { r[2].Sights = []sight{{ID: "n", Runs: 1}} }, lie: "nobody has sent"},
	} {
		t.Run(name, func(t *testing.T) {
			reports := tale()
			c.change(reports)
			got, lies := reckon(reports, c.failover)
			if c.lie == "" && lies > 0 {
				t.Errorf("lies found: %q", got.lies)
			}
			if c.lie != "" && !slices.ContainsFunc(got.lies, func(s string) bool { return strings.Contains(s, c.lie) }) {
				t.Errorf("%d lies, %q: none says %q", lies, got.lies, c.lie)
			}
			if got.repeats != c.repeats || got.doubles != c.doubles {
				t.Errorf("%d repeats and %d doubles, want %d and %d", got.repeats, got.doubles, c.repeats, c.doubles)
			}
		})
	}
}

func refuse(st mesh.Status) func([]*report) {
	return func(r []*report) { r[0].Words[0].Status, r[0].Words[0].By = st, nil }
}

func handledAgain(r []*report) {
	r[1].Sights = append(r[1].Sights, sight{ID: "m", Life: 1, Hops: 1, Runs: 1})
}

func handledByTwo(r []*report) { r[2].Sights = []sight{{ID: "m", Hops: 2, Runs: 1}} }

func TestLiesAreCountedBeyondThoseTold(t *testing.T) {
	reports := tale()
	reports[1].Sights = nil
	for range 2 * maxLies {
		reports[0].Words = append(reports[0].Words, reports[0].Words[0])
	}
	got, lies := reckon(reports, false)
	if lies != 2*maxLies+1 || len(got.lies) != maxLies {
		t.Errorf("%d lies, %d told: want %d and %d", lies, len(got.lies), 2*maxLies+1, maxLies)
	}
}
