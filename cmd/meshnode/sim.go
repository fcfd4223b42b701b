package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/scenarios"
	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) simCmd() *cobra.Command {
	return parent("sim", "Simulate large meshes, without a daemon",
		`  meshnode sim ls
  meshnode sim run churn --nodes 5000 --html churn.html`,
		a.simRunCmd(), a.simReplayCmd(), a.simLsCmd(), a.simShowCmd(), a.simCompareCmd())
}

// simFlags choose and change a scenario. Run and replay share them, so that
// a replay is the run again.
type simFlags struct {
	nodes    int
	seed     uint64
	duration time.Duration
	set      []string
}

func (s *simFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&s.nodes, "nodes", 0, "how many nodes; 0: as the scenario says")
	f.Uint64Var(&s.seed, "seed", 0, "`number` that all chance comes from; 0: as the scenario says")
	f.DurationVar(&s.duration, "duration", 0, "how long to simulate after the warm-up; 0: as the scenario says")
	f.StringArrayVar(&s.set, "set", nil, "change a `key=value` of the scenario, as in topology.degree=6; may be repeated")
}

// scenario reads a scenario, changes it and fills its defaults in.
func (s *simFlags) scenario(name string) (*sim.Scenario, []byte, error) {
	text, err := scenarios.Read(name)
	if errors.Is(err, scenarios.ErrNotFound) {
		return nil, nil, hint(api.Fail(api.ErrNotFound, "%w", err), "meshnode sim ls")
	}
	if err != nil {
		return nil, nil, err
	}
	bad := func(err error) error {
		return hint(api.Fail(api.ErrConfig, "%w", err), "meshnode sim show random-regular, for an example")
	}
	sc, err := scenarios.Parse(name, text)
	if err != nil {
		return nil, nil, bad(err)
	}
	for _, assignment := range s.set {
		if err := scenarios.Set(sc, assignment); err != nil {
			return nil, nil, hint(api.Fail(api.ErrUsage, "--set %w", err), "meshnode sim show "+name)
		}
	}
	if s.nodes != 0 {
		sc.Nodes = s.nodes
	}
	if s.seed != 0 {
		sc.Seed = s.seed
	}
	if s.duration != 0 {
		sc.Duration = s.duration
	}
	if sc.Name == "" {
		sc.Name = name
	}
	if err := sc.Validate(); err != nil {
		return nil, nil, bad(err)
	}
	return sc, text, nil
}

// replay is the command that follows one message of a run.
func (s *simFlags) replay(name string, seed, message uint64) string {
	return s.command("replay", name, seed) + " --message " + strconv.FormatUint(message, 10)
}

// command is what somebody else types for the same run.
func (s *simFlags) command(verb, name string, seed uint64) string {
	words := []string{"meshnode sim", verb, quote(name), "--seed", strconv.FormatUint(seed, 10)}
	if s.nodes != 0 {
		words = append(words, "--nodes", strconv.Itoa(s.nodes))
	}
	if s.duration != 0 {
		words = append(words, "--duration", s.duration.String())
	}
	for _, v := range s.set {
		words = append(words, "--set", quote(v))
	}
	return strings.Join(words, " ")
}

// quote makes one word of a text for a POSIX shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,%+@", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// simulate runs a scenario with a progress line, if one is wanted.
func (a *app) simulate(ctx context.Context, sc *sim.Scenario, o sim.Options, show bool) (*sim.Result, error) {
	if show {
		p := newProgress(a.stderr, a.colour)
		defer p.end()
		o.Progress = p.tell
	}
	r, err := sim.Run(ctx, sc, o)
	if err != nil {
		return nil, fmt.Errorf("simulate %s: %w", sc.Name, err)
	}
	return r, nil
}

// completeScenarios offers the library.
func completeScenarios(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}
