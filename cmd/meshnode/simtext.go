package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/report"
)

// shownFailures is how many failures the table lists; JSON and the report have
// more.
const shownFailures = 10

// simText prints a result for people.
func (a *app) simText(r *sim.Result, sc *sim.Scenario, replay func(uint64) string) error {
	a.line("%s: %s, seed %d, %v simulated, %d events", r.Scenario, plural(r.Nodes, "node"), r.Seed, r.Virtual, r.Events)
	a.simFigures(report.Grouped(r, sc.Expect))
	if err := a.simOutcomes(r); err != nil {
		return err
	}
	if r.Cost.Wall > 0 {
		a.line("\nthe machine\n  %v of wall clock, %v of CPU, %.0f events a CPU second, %d MiB at the most", r.Cost.Wall.Round(time.Millisecond),
			r.Cost.CPU.Round(time.Millisecond), r.Cost.EventsPerSecond, r.Cost.PeakMemory>>20)
	}
	a.simFailures(r, replay)
	mark := "PASS"
	if !report.Passed(r) {
		mark = "FAIL"
	}
	a.line("\n%s  %s", mark, report.Verdict(r))
	for _, m := range r.Missed {
		a.line("  %s", m)
	}
	return nil
}

// simFigures prints the groups, with the columns of all in line on a terminal.
func (a *app) simFigures(groups []report.Group) {
	var widths [3]int
	cells := func(row report.Row) []string {
		return []string{row.Title, row.Unit.Format(row.Value), row.Name, expected(row)}
	}
	for _, g := range groups {
		for _, row := range g.Rows {
			for i, c := range cells(row)[:len(widths)] {
				widths[i] = max(widths[i], utf8.RuneCountInString(c))
			}
		}
	}
	for _, g := range groups {
		a.line("\n%s", g.Name)
		for _, row := range g.Rows {
			c := cells(row)
			if !a.tty {
				a.line("%s", strings.Join(c, "\t"))
				continue
			}
			a.line("%s", strings.TrimRight(fmt.Sprintf("  %-*s  %*s  %-*s  %s", widths[0], c[0], widths[1], c[1], widths[2], c[2], c[3]), " "))
		}
	}
}

func expected(row report.Row) string {
	switch {
	case row.Expected == "":
		return ""
	case row.Missed:
		return "MISSED: expected " + row.Expected
	}
	return "ok, expected " + row.Expected
}

func (a *app) simOutcomes(r *sim.Result) error {
	names := make([]string, 0, len(r.Outcomes))
	for name := range r.Outcomes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(r.Outcomes[y], r.Outcomes[x]), cmp.Compare(x, y))
	})
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{"  " + name, fmt.Sprint(r.Outcomes[name])})
	}
	if len(rows) == 0 {
		return nil
	}
	a.line("\nfinal words")
	return a.table(nil, rows)
}

func (a *app) simFailures(r *sim.Result, replay func(uint64) string) {
	if len(r.Failures) == 0 {
		return
	}
	a.line("\nfailures")
	for _, f := range r.Failures[:min(len(r.Failures), shownFailures)] {
		a.line("  %s\n    %s", failureLine(f), replay(f.Message))
	}
	if more := int(r.FailureCount) - min(len(r.Failures), shownFailures); more > 0 {
		a.line("  and %d more", more)
	}
}

// failureLine is a failure in a sentence.
func failureLine(f sim.Failure) string {
	lie := ""
	if f.Lie {
		lie = ", a lie"
	}
	return fmt.Sprintf("message %d, sent at %v by n%d to %s, was told %q%s: %s", f.Message, f.At.Round(time.Millisecond), f.From, f.To, f.Outcome, lie, f.Why)
}

// line prints one line of data, with what could move the cursor escaped.
func (a *app) line(format string, args ...any) {
	fmt.Fprintln(a.stdout, escape(fmt.Sprintf(format, args...)))
}
