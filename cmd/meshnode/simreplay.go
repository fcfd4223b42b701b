package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/pkg/api"
)

// maxTrip is how many steps of a trip are kept: a flood has one per link.
const maxTrip = 10_000

// trip is what happened to one message of a run.
type trip struct {
	api.Head
	Message uint64       `json:"message"`
	Steps   []string     `json:"steps"`
	Left    int          `json:"left,omitempty"` // steps beyond maxTrip
	Failure *sim.Failure `json:"failure,omitempty"`
}

func (a *app) simReplayCmd() *cobra.Command {
	var s simFlags
	var message uint64
	c := &cobra.Command{
		Use:   "replay NAME|FILE",
		Short: "Show the trip of one message of a run",
		Long: `Run a scenario again and print the trip of one message: when, at which node, and
what happened. Give the flags of the run, since another seed or another number
of nodes is another run.`,
		Example: `  meshnode sim replay random-regular --message 100
  meshnode sim replay partition --seed 7 --nodes 10000 --message 48213`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(c *cobra.Command, args []string) error {
			return a.simReplay(c.Context(), s, args[0], message)
		},
	}
	s.add(c)
	c.Flags().Uint64Var(&message, "message", 0, "`number` of the message, counted from 1")
	return c
}

func (a *app) simReplay(ctx context.Context, s simFlags, name string, message uint64) error {
	if message == 0 {
		return api.Fail(api.ErrUsage, "say which message: --message NUMBER, counted from 1")
	}
	sc, _, err := s.scenario(name)
	if err != nil {
		return err
	}
	t := trip{Head: head, Message: message}
	keep := func(line string) {
		if len(t.Steps) == maxTrip {
			t.Left++
			return
		}
		t.Steps = append(t.Steps, line)
	}
	r, err := a.simulate(ctx, sc, sim.Options{Trace: &sim.Trace{Message: message, Line: keep}}, a.colour && !a.quiet)
	if err != nil {
		return err
	}
	if len(t.Steps) == 0 {
		return hint(api.Fail(api.ErrNotFound, "this run has no message %d", message), s.command("run", name, r.Seed))
	}
	for _, f := range r.Failures {
		if f.Message == message {
			t.Failure = &f
		}
	}
	return a.object(t, func() error { return a.tripText(t) })
}

func (a *app) tripText(t trip) error {
	for _, step := range t.Steps {
		a.line("%s", strings.TrimRight(step, "\n"))
	}
	if t.Left > 0 {
		a.line("and %d more steps", t.Left)
	}
	if f := t.Failure; f != nil {
		a.line("\nIt failed: sent at %v, told %q. %s.", f.At.Round(time.Millisecond), f.Outcome, upper(f.Why))
	}
	return nil
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
