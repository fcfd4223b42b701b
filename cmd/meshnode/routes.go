package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) routesCmd() *cobra.Command {
	return parent("routes", "See the ways this node knows",
		`  meshnode routes ls
  meshnode routes get 'ocr{caps>=[gpu,pdf],version^2.1}'`,
		a.routesLsCmd(), a.routesGetCmd())
}

func (a *app) routesLsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the known ways to other nodes",
		Example: `  meshnode routes ls
  meshnode routes ls -o jsonl`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			r, err := client.Routes(c.Context())
			if err != nil {
				return err
			}
			return list(a, r, r.Routes, []string{"TO", "VIA", "HOPS", "PROVEN", "RTT", "AGE"}, func(r meshnode.RouteInfo) []string {
				return []string{r.To.String(), r.Via.String(), strconv.Itoa(r.Hops), strconv.FormatBool(r.Proven), short(r.RTT), r.Age.Round(time.Second).String()}
			})
		},
	}
}

func (a *app) routesGetCmd() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "get ADDRESS",
		Short: "Tell who would be asked, best first; probes when nobody is known",
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
			p, err := client.Resolve(ctx, args[0])
			if err != nil {
				return err
			}
			return list(a, p, p.Providers, providerColumns, providerRow)
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to look")
	return c
}
