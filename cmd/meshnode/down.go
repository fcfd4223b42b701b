package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

// pollEvery is how often a daemon that goes or comes is looked for.
const pollEvery = 50 * time.Millisecond

func (a *app) downCmd() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "down",
		Short: "Drain the daemon, stop it and wait until it has gone",
		Example: `  meshnode down
  meshnode down --context ada --timeout 30s`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			client, err := a.daemon(ctx)
			if err != nil {
				return err
			}
			if err := client.Down(ctx); err != nil {
				return err
			}
			// A new connection each time: one that is kept would outlive the
			// listener.
			for gone := false; !gone; {
				client.Close()
				switch err := client.Live(ctx); {
				case errors.Is(err, api.ErrNoDaemon):
					gone = true
				case ctx.Err() != nil:
					return fmt.Errorf("the daemon was told to stop and is still there: %w", ctx.Err())
				default:
					pause(ctx, pollEvery)
				}
			}
			return a.done("down")
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait until it has gone")
	return c
}

func (a *app) drainCmd() *cobra.Command {
	var timeout time.Duration
	var undo bool
	c := &cobra.Command{
		Use:   "drain",
		Short: "Refuse new work, finish what is in flight, stay up",
		Example: `  meshnode drain --timeout 1m
  meshnode drain --undo`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			client, err := a.daemon(ctx)
			if err != nil {
				return err
			}
			if undo {
				if err := client.Undrain(ctx); err != nil {
					return err
				}
				return a.done("undrained")
			}
			if err := client.Drain(ctx); err != nil {
				return err
			}
			return a.done("drained")
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait for what is in flight")
	c.Flags().BoolVar(&undo, "undo", false, "take work again")
	return c
}

// done reports that an order was carried out.
func (a *app) done(what string) error {
	return a.object(api.Done{Head: head, Done: what}, func() error {
		a.say("%s", what)
		return nil
	})
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
