package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) requestCmd() *cobra.Command {
	var send sendFlags
	var several several
	var raw bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "request ADDRESS [BODY | @FILE | -]",
		Short: "Ask a service and print the answer",
		Long: `Ask one provider of a service, --n of them, or all of them with
--all, and print each answer. With --quorum it ends once so many have answered
well. Nobody serving it is exit code 5, at once; no answer in time is 6; some
good answers, and fewer than wanted, 7.`,
		Example: `  meshnode request greet world
  meshnode request --n 3 --quorum 2 quote '{"item":7}'
  meshnode request --all 'thermometer{floor=2}' --timeout 2s -o jsonl`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeServices,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := send.options()
			if err != nil {
				return err
			}
			if _, err := mesh.ParseAddress(args[0]); err != nil {
				return err
			}
			if err := several.check(o); err != nil {
				return err
			}
			body, err := a.body(args[1:])
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			m, err := a.daemons(ctx)
			if err != nil {
				return err
			}
			defer m.Close()
			switch {
			case several.n > 1 || several.quorum > 0:
				return a.gather(ctx, m, args[0], body, several, o, raw)
			case several.all:
				return a.requestAll(ctx, m, args[0], body, o, raw)
			}
			r, err := m.Request(ctx, args[0], body, o)
			if err != nil {
				return err
			}
			return a.reply(r, raw)
		},
	}
	send.add(c.Flags())
	several.add(c.Flags())
	c.Flags().BoolVar(&raw, "raw", false, "print the answer as it is, without a line end")
	c.Flags().DurationVar(&timeout, "timeout", mesh.DefaultLifetime, "how long to wait for the answer")
	return c
}

func (a *app) requestAll(ctx context.Context, m *api.Multi, to string, body []byte, o api.Send, raw bool) error {
	s, err := m.RequestAll(ctx, to, body, o)
	if err != nil {
		return err
	}
	defer s.Close()
	ok, failed := 0, 0
	var last error
	for r, err := range s.All() {
		if err != nil {
			failed++
			last = err
			continue
		}
		ok++
		if err := a.reply(r, raw); err != nil {
			return err
		}
	}
	if ctx.Err() == nil && ok+failed == 0 {
		return fmt.Errorf("nobody answered for %q: %w", to, mesh.ErrNoProvider)
	}
	if ok+failed == 0 {
		return ctx.Err()
	}
	return partly(ok, failed, last)
}

func (a *app) reply(r api.Reply, raw bool) error {
	return a.object(r, func() error {
		if err := a.payload(r.Bytes(), raw); err != nil {
			return err
		}
		if a.tty {
			a.say("(%s, %s, from %s)", plural(r.Hops, "hop"), short(r.RTT), r.From)
		}
		return nil
	})
}
