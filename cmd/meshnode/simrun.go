package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/report"
	"github.com/meshnode/meshnode/pkg/api"
)

// simRun are the flags of sim run beside those that choose the scenario.
type simRun struct {
	simFlags
	html       string
	cost       bool
	progress   bool
	noProgress bool
}

func (a *app) simRunCmd() *cobra.Command {
	var s simRun
	c := &cobra.Command{
		Use:   "run NAME|FILE",
		Short: "Simulate a scenario and judge it",
		Long: `Simulate a scenario: one of "meshnode sim ls", or a YAML file. The production
router runs in every node, in virtual time; the same seed gives the same result.
The exit code is 1 when an expectation of the scenario is missed, or when a
final word did not tell what happened.`,
		Example: `  meshnode sim run random-regular
  meshnode sim run partition --nodes 10000 --seed 7 --set topology.degree=6 --html partition.html`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(c *cobra.Command, args []string) error {
			if s.progress && s.noProgress {
				return api.Fail(api.ErrUsage, "--progress and --no-progress exclude each other")
			}
			show := s.progress || a.colour && !s.noProgress && !a.quiet
			return a.simRun(c.Context(), s, args[0], show)
		},
	}
	s.add(c)
	f := c.Flags()
	f.StringVar(&s.html, "html", "", "write a report with plots to a `file`")
	f.BoolVar(&s.cost, "cost", true, "say what the run took on this machine; without it two runs of one seed print the same bytes")
	f.BoolVar(&s.progress, "progress", false, "show how far it is, also when stderr is no terminal")
	f.BoolVar(&s.noProgress, "no-progress", false, "do not show how far it is")
	return c
}

func (a *app) simRun(ctx context.Context, s simRun, name string, show bool) error {
	sc, text, err := s.scenario(name)
	if err != nil {
		return err
	}
	r, err := a.simulate(ctx, sc, sim.Options{}, show)
	if err != nil {
		return err
	}
	if !s.cost {
		r.Cost = sim.Cost{}
	}
	replay := func(message uint64) string { return s.replay(name, r.Seed, message) }
	if s.html != "" {
		page := report.Page{Result: r, Scenario: sc, YAML: string(text), Command: s.command("run", name, r.Seed), Replay: replay}
		if err := writeReport(s.html, page); err != nil {
			return err
		}
		a.say("report: %s", s.html)
	}
	v, err := resultJSON(r, s.cost)
	if err != nil {
		return err
	}
	if err := a.object(v, func() error { return a.simText(r, sc, replay) }); err != nil {
		return err
	}
	return verdict(r, replay)
}

// resultJSON is a result as it is printed; what it cost is left out on demand.
func resultJSON(r *sim.Result, cost bool) (json.RawMessage, error) {
	out := struct {
		*sim.Result
		Cost *sim.Cost `json:"cost,omitempty"`
	}{Result: r}
	if cost {
		out.Cost = &r.Cost
	}
	return versioned(out)
}

// writeReport leaves an older report as it is when the new one fails.
func writeReport(file string, page report.Page) error {
	var b bytes.Buffer
	if err := report.Write(&b, page); err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// verdict is the error of a run that did not pass.
func verdict(r *sim.Result, replay func(uint64) string) error {
	if report.Passed(r) {
		return nil
	}
	p := *api.NewProblem(api.Fail(api.ErrInternal, "%s did not pass. %s", r.Scenario, report.Verdict(r)))
	p.Cause = "The figures above say what was expected and what was found."
	p.Hint = "meshnode sim run --html report.html, to see when it happened"
	if len(r.Failures) > 0 {
		p.Hint = replay(r.Failures[0].Message)
	}
	return &p
}
