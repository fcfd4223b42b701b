package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
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
