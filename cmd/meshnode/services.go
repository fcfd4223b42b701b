package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
)

func (a *app) servicesCmd() *cobra.Command {
	ls := &cobra.Command{
		Use:   "ls",
		Short: "List the services this node knows, and who serves them",
		Example: `  meshnode services ls
  meshnode services ls -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			s, err := client.Services(c.Context())
			if err != nil {
				return err
			}
			if a.format != "text" {
				return list(a, s, s.Services, nil, nil)
			}
			var rows [][]string
			for _, svc := range s.Services {
				for _, p := range svc.Providers {
					rows = append(rows, append([]string{svc.Name}, providerRow(p)...))
				}
				if len(svc.Providers) == 0 {
					rows = append(rows, []string{svc.Name, "-", "-", "-", "-", "-", ""})
				}
			}
			return a.table(append([]string{"SERVICE"}, providerColumns...), rows)
		},
	}
	return parent("services", "See who serves what",
		`  meshnode services ls
  meshnode services ls -o jsonl`, ls)
}

var providerColumns = []string{"PROVIDER", "HOPS", "RTT", "LOAD", "SUCCESS", "AGE", "ATTRIBUTES"}

func providerRow(p meshnode.ProviderInfo) []string {
	who := p.Peer.String()
	if p.Local {
		who += " (this node)"
	}
	return []string{
		who, strconv.Itoa(p.Hops), short(p.RTT), fmt.Sprintf("%d%%", p.Load),
		fmt.Sprintf("%.0f%%", 100*p.Success), p.Age.Round(time.Second).String(), p.Attributes.String(),
	}
}
