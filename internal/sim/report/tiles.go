package report

import (
	"fmt"
	"slices"

	"github.com/meshnode/meshnode/internal/sim"
)

// tile is one big number and what belongs to it.
type tile struct {
	Title, Value, Below, Meaning string
	Bad                          bool
}

const maxTiles = 8

// choice is a figure and another that is written small below it, in words.
type choice struct{ name, below, words string }

// choices are the figures worth a tile, the weightiest first; those that
// something is expected of go before.
var choices = []choice{
	{"delivered", "messages", "of %s messages"},
	{"lies", "", ""},
	{"latency.p50", "latency.p99", "99 of 100 within %s"},
	{"all.reach", "all.ratio", "at %s the links of a tree"},
	{"heal.time", "", ""},
	{"first.copies", "first.flood", "a flood would take %s"},
	{"hops.mean", "hops.p95", "95 of 100 within %s"},
	{"stretch.mean", "stretch.latency", "in time %s"},
	{"control.bytes", "payload.bytes", "beside %s of payload"},
	{"copies.mean", "copies.extra", "%s more than needed"},
	{"load.cv", "load.p99ratio", "a slow provider's tail %s"},
	{"wrong", "", ""},
}

func tiles(r *sim.Result, expect map[string]string) []tile {
	chosen := slices.Clone(choices)
	rank := func(name string) int {
		if name == "delivered" || name == "lies" || expect[name] != "" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(chosen, func(a, b choice) int { return rank(a.name) - rank(b.name) })
	var out []tile
	for _, c := range chosen {
		x, ok := r.Figures[c.name]
		if !ok || len(out) == maxTiles {
			continue
		}
		f, _ := Lookup(c.name)
		t := tile{Title: f.Title, Value: f.Unit.Format(x), Meaning: f.Meaning}
		if y, ok := r.Figures[c.below]; ok {
			g, _ := Lookup(c.below)
			t.Below = fmt.Sprintf(c.words, g.Unit.Format(y))
		}
		if b, err := sim.ParseBound(expect[c.name]); err == nil {
			t.Bad = !b.Holds(x)
			if t.Below == "" {
				t.Below = "expected " + words(b, f.Unit)
			}
		}
		t.Bad = t.Bad || c.name == "lies" && x > 0
		out = append(out, t)
	}
	return out
}
