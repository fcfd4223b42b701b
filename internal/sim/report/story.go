package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/meshnode/meshnode/internal/sim"
)

// about are the plots of the simulator by name, each with a title and a
// sentence that says what to look for.
var about = map[string]struct{ title, text string }{
	"success":            {"Success over time", "Share of the messages sent in each second that were acknowledged."},
	"latency":            {"Time to the final word", "From publishing to the word, on a logarithmic axis."},
	"hops":               {"Hops to the provider", "Links crossed by the delivered copy of a message."},
	"stretch":            {"Detour in hops", "Against the shortest way to the same provider; 1 is no detour."},
	"stretch of latency": {"Detour in time", "Against the fastest way to the same provider; 1 is no detour."},
	"copies":             {"Copies over time", "Crossings of payload frames for each message delivered."},
	"control":            {"Overhead over time", "Bytes of probes, answers and grafts, the price of finding ways."},
	"load":               {"Load of the providers", "Messages that each provider handled, the busiest first; level is even."},
	"alive":              {"Nodes alive", ""},
}

// order is that of the plots on the page; others come after them.
var order = []string{"success", "latency", "hops", "stretch", "copies", "control", "load", "stretch of latency", "alive"}

// plots draws every plot that has something to show.
func plots(p Page) []drawn {
	var out []drawn
	all := slices.Clone(p.Result.Plots)
	rank := func(p sim.Plot) uint { return uint(slices.Index(order, p.Name)) } // unknown: the largest
	slices.SortStableFunc(all, func(a, b sim.Plot) int { return cmp.Compare(rank(a), rank(b)) })
	for _, plot := range all {
		a, ok := about[plot.Name]
		if !ok {
			a.title = plot.Name
		}
		marks := marksOf(plot, p)
		if plot.Name == "stretch" || plot.Name == "stretch of latency" {
			plot, marks = fold(plot, marks)
		}
		if steady(plot) {
			continue
		}
		if svg := draw(plot, marks); svg != "" {
			out = append(out, drawn{a.title, a.text, svg})
		}
	}
	return out
}

// foldAt is the share of a histogram that is drawn as it is.
const foldAt = 0.97

// fold makes one bar of the last of a histogram: a few extremes far
// out would press the rest into a sliver.
func fold(p sim.Plot, marks []Mark) (sim.Plot, []Mark) {
	if len(p.Series) != 1 || len(p.Series[0].X) < 12 {
		return p, marks
	}
	in := p.Series[0]
	all, kept := 0.0, 0.0
	for _, y := range in.Y {
		all += y
	}
	at := 0
	for at < len(in.Y) && kept < foldAt*all {
		kept += in.Y[at]
		at++
	}
	if at+1 >= len(in.Y) {
		return p, marks
	}
	step := in.X[1] - in.X[0]
	last := in.X[at-1] + 2*step // one step apart
	p.Series = []sim.Series{{
		Name: in.Name, X: append(slices.Clone(in.X[:at]), last), Y: append(slices.Clone(in.Y[:at]), all-kept),
	}}
	note := fmt.Sprintf("%s beyond, up to %s", number(all-kept), label(in.X[len(in.X)-1], false))
	return p, append(marks, Mark{From: last, To: last, Label: note})
}

// steady reports whether a plot is of nodes alive, all of them all the time:
// a straight line tells nothing.
func steady(p sim.Plot) bool {
	if p.Name != "alive" {
		return false
	}
	for _, s := range p.Series {
		for _, y := range s.Y {
			if y != s.Y[0] {
				return false
			}
		}
	}
	return true
}

// marksOf explains a plot: what happened when, or where the middle and the
// tail lie.
func marksOf(plot sim.Plot, p Page) []Mark {
	switch plot.Name {
	case "success", "copies", "control", "alive":
		return happenings(p.Scenario)
	case "latency":
		return places(p.Result, "p50", "latency.p50", "p99", "latency.p99")
	case "hops":
		return places(p.Result, "mean", "hops.mean", "p95", "hops.p95")
	case "stretch":
		return places(p.Result, "mean", "stretch.mean", "p95", "stretch.p95")
	case "stretch of latency":
		return places(p.Result, "mean", "stretch.latency")
	}
	return nil
}

// happenings are the warm-up and the events on an axis of seconds.
func happenings(s *sim.Scenario) []Mark {
	var out []Mark
	if s.Warmup > 0 {
		out = append(out, Mark{From: 0, To: s.Warmup.Seconds(), Label: "warm-up", Quiet: true})
	}
	for _, e := range s.Events {
		at := s.Warmup + e.At
		out = append(out, Mark{From: at.Seconds(), To: (at + e.For).Seconds(), Label: e.What})
	}
	return out
}

// places takes pairs of a label and a figure's name.
func places(r *sim.Result, pairs ...string) []Mark {
	var out []Mark
	for i := 0; i+1 < len(pairs); i += 2 {
		if x, ok := r.Figures[pairs[i+1]]; ok {
			f, _ := Lookup(pairs[i+1])
			out = append(out, Mark{From: x, To: x, Label: pairs[i] + " " + f.Unit.Format(x)})
		}
	}
	return out
}
