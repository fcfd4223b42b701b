package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) waitCmd() *cobra.Command {
	var what string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait",
		Short: "Wait until a condition holds; for scripts, instead of sleep",
		Long: `Wait until a condition holds. The daemon need not be there yet: it is waited
for as well. Exit code 3 means that it never came, 6 that the condition did not
hold in time.`,
		Example: `  meshnode wait --for ready --context ada
  meshnode wait --for service=greet --timeout 5s`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cond, err := api.ParseCondition(what)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			for {
				client, err := a.daemon(ctx)
				if err == nil {
					err = client.Wait(ctx, cond)
					client.Close()
				}
				switch {
				case err == nil:
					return a.done(cond.String())
				case !errors.Is(err, api.ErrNoDaemon):
					return err
				case ctx.Err() != nil:
					return fmt.Errorf("waited %v for %s: %w", timeout, cond, err)
				}
				pause(ctx, pollEvery)
				if ctx.Err() != nil {
					return fmt.Errorf("waited %v for %s: %w", timeout, cond, err)
				}
			}
		},
	}
	c.Flags().StringVar(&what, "for", "ready", "`condition`: ready, peers=N or service=NAME")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait")
	return c
}
