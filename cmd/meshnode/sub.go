package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) subCmd() *cobra.Command {
	var count, buffer int
	var timeout time.Duration
	var raw bool
	var policy string
	var attrs []string
	c := &cobra.Command{
		Use:   "sub ADDRESS",
		Short: "Print the messages to a service or a group",
		Long: `Print the messages to a service or a group, each with a line end. A subscriber
of a service is one of its providers: a message to one goes to one of them.

Given several --api, each message is printed once, whichever daemon brings it,
and a daemon that went away is tried again for as long as another one lives. A
reader that takes nothing for 30 seconds is cut off.`,
		Example: `  meshnode sub orders -o jsonl | jq .text
  meshnode sub group:lobby --count 3 --timeout 1m`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeServices,
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := mesh.ParseAddress(args[0]); err != nil {
				return err
			}
			p, err := api.ParsePolicy(policy)
			if err != nil {
				return err
			}
			attributes, err := attributes(attrs)
			if err != nil {
				return err
			}
			if count < 0 || buffer < 1 || buffer > api.MaxBuffer {
				return api.Fail(api.ErrUsage, "--count must not be negative, --buffer 1 to %d", api.MaxBuffer)
			}
			ctx := c.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			m, err := a.daemons(ctx)
			if err != nil {
				return err
			}
			defer m.Close()
			s, err := m.Subscribe(ctx, args[0], api.Subscription{Policy: p, Buffer: buffer, Attributes: attributes})
			if err != nil {
				return err
			}
			defer s.Close()
			a.say("subscribed to %s", args[0])
			n, err := a.printMessages(s, count, raw)
			switch {
			case err != nil:
				return err
			case c.Context().Err() != nil:
				return c.Context().Err()
			case n < count:
				return fmt.Errorf("%d of %s in %v: %w", n, plural(count, "message"), timeout, mesh.ErrTimeout)
			}
			return nil
		},
	}
	c.Flags().IntVar(&count, "count", 0, "end after `n` messages; 0: never")
	c.Flags().DurationVar(&timeout, "timeout", 0, "end after this time; 0: never. With --count, fewer messages are exit code 6")
	c.Flags().BoolVar(&raw, "raw", false, "print the bodies as they are, without line ends")
	c.Flags().StringVar(&policy, "policy", "block", "what happens when this reader is slow: block, drop-oldest or drop-newest")
	c.Flags().IntVar(&buffer, "buffer", 256, "messages the daemon holds for this reader")
	c.Flags().StringArrayVar(&attrs, "attr", nil, "`name=value` this provider has, or name=[a,b]; may be repeated")
	return c
}

// printMessages prints until the stream ends, or count are printed (0: all).
func (a *app) printMessages(s *api.Stream[api.Message], count int, raw bool) (n int, err error) {
	for m, err := range s.All() {
		if errors.Is(err, api.ErrNoDaemon) {
			return n, err
		}
		if err != nil {
			a.printError(err)
			continue
		}
		if err := a.message(m, raw); err != nil {
			return n, err
		}
		if n++; n == count {
			break
		}
	}
	return n, nil
}

func (a *app) message(m api.Message, raw bool) error {
	return a.object(m, func() error {
		if a.tty && !raw {
			a.say("%s from %s, %s", m.ID, m.From, plural(m.Hops, "hop"))
		}
		return a.payload(m.Bytes(), raw)
	})
}
