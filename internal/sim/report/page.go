package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// Page is what a report shows.
type Page struct {
	Result   *sim.Result
	Scenario *sim.Scenario // that was run, with its defaults filled in
	YAML     string        // its text, as it was written; empty: none is shown
	Command  string        // that made the result
	// Replay gives the command that follows one message; nil: none is shown.
	Replay func(message uint64) string
}

//go:embed page.html
var pageText string

// parsed is made when the first page is written, since most commands write none.
var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

// Write writes the report as one HTML file.
func Write(w io.Writer, p Page) error {
	if err := parsed().Execute(w, view(p)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// shown is a page with everything worked out, for the template.
type shown struct {
	Page
	Pass     bool
	Verdict  string
	Glyph    template.HTML
	Facts    []fact
	Tiles    []tile
	Plots    []drawn
	Groups   []Group
	Expected []Row
	Missed   []string
	Outcomes []outcome
	Failures []failure
	More     []failure // folded
	Cost     []fact
}

type fact struct{ Name, Value string }

type drawn struct {
	Title, About string
	SVG          template.HTML
}

type outcome struct {
	Name  string
	Count string
	Share string
	Width string // of the bar, in percent
}

type failure struct {
	sim.Failure
	Sent   string
	Replay string
}

// openFailures is how many failures show at once; the rest is folded.
const openFailures = 12

func view(p Page) shown {
	r := p.Result
	v := shown{
		Page: p, Pass: Passed(r), Verdict: Verdict(r),
		Glyph: glyph(p.Scenario.Topology.Kind, p.Scenario.Topology.Regions, r.Seed),
		Tiles: tiles(r, p.Scenario.Expect), Groups: Grouped(r, p.Scenario.Expect), Missed: r.Missed,
		Outcomes: outcomes(r), Plots: plots(p),
		Facts: []fact{
			{"nodes", grouped(fmt.Sprint(r.Nodes))}, {"seed", fmt.Sprint(r.Seed)},
			{"simulated", r.Virtual.String()}, {"events", grouped(fmt.Sprint(r.Events))},
		},
	}
	for _, g := range v.Groups {
		for _, row := range g.Rows {
			if row.Expected != "" {
				v.Expected = append(v.Expected, row)
			}
		}
	}
	for _, f := range r.Failures {
		out := failure{Failure: f, Sent: f.At.Round(time.Millisecond).String()}
		if p.Replay != nil {
			out.Replay = p.Replay(f.Message)
		}
		v.Failures = append(v.Failures, out)
	}
	if len(v.Failures) > openFailures {
		v.Failures, v.More = v.Failures[:openFailures], v.Failures[openFailures:]
	}
	if r.Cost.Wall > 0 {
		v.Cost = []fact{
			{"wall clock", r.Cost.Wall.Round(10 * time.Millisecond).String()},
			{"CPU", r.Cost.CPU.Round(10 * time.Millisecond).String()},
			{"events a CPU second", number(float64(int64(r.Cost.EventsPerSecond)))},
			{"peak memory", scaled(float64(r.Cost.PeakMemory), " kMGT") + "B"},
		}
	}
	return v
}

// Passed reports whether every expectation is met and nothing is a lie.
func Passed(r *sim.Result) bool { return len(r.Missed) == 0 && lies(r) == 0 }

// lies counts those of the warm-up too.
func lies(r *sim.Result) float64 { return r.Figures["lies"] + r.Figures[warmup+"lies"] }

// Verdict is the outcome in a sentence.
func Verdict(r *sim.Result) string {
	missed := len(r.Missed)
	switch {
	case Passed(r):
		return "Every expectation is met."
	case missed == 0:
		return "There are lies: final words that do not tell what happened."
	case missed == 1:
		return "One expectation is missed."
	}
	return fmt.Sprintf("%d expectations are missed.", missed)
}

func outcomes(r *sim.Result) []outcome {
	sum := uint64(0)
	var names []string
	for name, n := range r.Outcomes {
		sum += n
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Outcomes[b], r.Outcomes[a]), cmp.Compare(a, b))
	})
	var out []outcome
	for _, name := range names {
		share := float64(r.Outcomes[name]) / float64(max(sum, 1))
		out = append(out, outcome{name, number(float64(r.Outcomes[name])), percent(share), px(max(share*100, 0.4))})
	}
	return out
}
