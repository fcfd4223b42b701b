package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/internal/sim/scenarios"
	"github.com/meshnode/meshnode/pkg/api"
)

// listed is one scenario of the library.
type listed struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	About string `json:"about"`
}

func (a *app) simLsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the scenarios of the library",
		Example: `  meshnode sim ls
  meshnode sim ls -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var all []listed
			for _, name := range scenarios.Names() {
				text, err := scenarios.Read(name)
				if err != nil {
					return err
				}
				s, err := scenarios.Parse(name, text)
				if err != nil {
					return err
				}
				all = append(all, listed{name, s.Nodes, s.About})
			}
			whole := struct {
				api.Head
				Scenarios []listed `json:"scenarios"`
			}{head, all}
			return list(a, whole, all, []string{"NAME", "NODES", "SHOWS"}, func(l listed) []string {
				return []string{l.Name, fmt.Sprint(l.Nodes), l.About}
			})
		},
	}
}

func (a *app) simShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Print a scenario of the library, to begin an own one from",
		Example: `  meshnode sim show churn
  meshnode sim show churn > mine.yaml && meshnode sim run mine.yaml`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := scenarios.Read(args[0])
			if err != nil {
				return hint(api.Fail(api.ErrNotFound, "%w", err), "meshnode sim ls")
			}
			return a.payload(text, false)
		},
	}
}
