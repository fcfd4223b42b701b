package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) routesGetCmd() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "get ADDRESS",
		Short: "Tell who would be asked and why, best first",
		Long: `Tell of every known provider of a service how it stands for an address, best
first; it looks for some when none is known. * marks whom a message would go
to. COST is in hops: what the way is worth, and what is added for a slow round
trip, load, failures, and for being new.

Exit code 5 means that nobody would be asked.`,
		Example: `  meshnode routes get orders
  meshnode routes get 'ocr{region=eu|region=us;prefer zone=a}' -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeServices,
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := mesh.ParseAddress(args[0]); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			client, err := a.daemon(ctx)
			if err != nil {
				return err
			}
			found, err := client.Explain(ctx, args[0])
			if err != nil {
				return err
			}
			if err := a.candidates(found); err != nil {
				return err
			}
			return askable(found)
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to look")
	return c
}

// askable is an error when nobody would be asked.
func askable(found api.Candidates) error {
	all := len(found.Candidates)
	if all == 0 {
		return fmt.Errorf("%s: %w", found.To, mesh.ErrNoProvider)
	}
	switch found.Candidates[0].Standing {
	case "draining":
		return api.Fail(mesh.ErrDraining, "%s has no other known provider than this node", found.To)
	case "incapable":
		return api.Fail(mesh.ErrIncapable, "of %d known none matches %s", all, found.To)
	case "no way":
		return api.Fail(mesh.ErrNoRoute, "to none of %d known of %s a way is known", all, found.To)
	}
	return nil
}

var candidateColumns = []string{"", "PEER", "STANDING", "COST", "HOPS", "VIA", "RTT", "LOAD"}

// candidates prints one line each in a pipe. On a terminal IDs are short, and
// what may be long stands below the numbers, so that 120 columns are enough.
func (a *app) candidates(found api.Candidates) error {
	if a.format != "text" || !a.tty {
		return list(a, found, found.Candidates, nil, func(c meshnode.CandidateInfo) []string {
			return append(candidateRow(c, peer.ID.String), c.Attributes.String(), c.Why)
		})
	}
	var b bytes.Buffer
	var rows [][]string
	for _, c := range found.Candidates {
		rows = append(rows, candidateRow(c, clipID))
	}
	on := *a
	on.stdout = &b
	if err := on.table(candidateColumns, rows); err != nil {
		return err
	}
	lines := strings.SplitAfter(b.String(), "\n")
	fmt.Fprint(a.stdout, lines[0])
	for i, c := range found.Candidates {
		fmt.Fprint(a.stdout, lines[i+1])
		if len(c.Attributes) > 0 {
			fmt.Fprintf(a.stdout, "     has  %s\n", escape(c.Attributes.String()))
		}
		fmt.Fprintf(a.stdout, "     why  %s\n", escape(c.Why))
	}
	return nil
}

func candidateRow(c meshnode.CandidateInfo, id func(peer.ID) string) []string {
	mark, via := "", "-"
	if c.Standing == "first" {
		mark = "*"
	}
	switch {
	case c.Local:
		via = "here"
	case c.Via == c.Peer && c.Via != "":
		via = "direct"
	case c.Via != "":
		via = id(c.Via)
	}
	return []string{mark, id(c.Peer), c.Standing, costs(c.Cost), strconv.Itoa(c.Hops), via, short(c.RTT), fmt.Sprintf("%d%%", c.Load)}
}

// costs is "3.4 = way 2 + load 1.4", with the parts that count.
func costs(c meshnode.CostInfo) string {
	tenth := func(hops float64) string { return strconv.FormatFloat(math.Round(10*hops)/10, 'f', -1, 64) }
	var parts []string
	for _, p := range []struct {
		name string
		hops float64
	}{{"way", c.Way}, {"rtt", c.RTT}, {"load", c.Load}, {"failures", c.Failures}, {"new", c.Newcomer}} {
		if p.hops >= 0.05 {
			parts = append(parts, p.name+" "+tenth(p.hops))
		}
	}
	if len(parts) < 2 {
		return tenth(c.Total)
	}
	return tenth(c.Total) + " = " + strings.Join(parts, " + ")
}
