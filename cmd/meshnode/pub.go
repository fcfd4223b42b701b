package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) pubCmd() *cobra.Command {
	var send sendFlags
	var all bool
	var count int
	var rate float64
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "pub ADDRESS [BODY | @FILE | -]",
		Short: "Send a message to a service or a group",
		Long: `Send a message to one provider of a service ("orders", "orders{region=eu}"),
to all of them with --all, or to a group ("group:lobby"). Each receipt is one
line: outcome, provider, hops, time, id.

Given several --api, the first daemon that takes the message sends it. Exit
code 6 means that the outcome is unknown, 7 that a part was done.`,
		Example: `  meshnode pub orders '{"id":1}'
  tar c . | meshnode pub 'backup{disk=ssd}' -`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeServices,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := send.options()
			if err != nil {
				return err
			}
			to, err := mesh.ParseAddress(args[0])
			if err != nil {
				return err
			}
			if all && to.Kind != mesh.KindService {
				return api.Fail(api.ErrUsage, "--all is for services, %s is none", to)
			}
			if all && o.Sticky != "" {
				return api.Fail(api.ErrUsage, "--sticky chooses one provider, --all takes every one")
			}
			if count < 1 || rate < 0 {
				return api.Fail(api.ErrUsage, "--count must be 1 or more, --rate not negative")
			}
			body, err := a.body(args[1:])
			if err != nil {
				return err
			}
			m, err := a.daemons(c.Context())
			if err != nil {
				return err
			}
			defer m.Close()
			p := publication{app: a, m: m, to: to, body: body, options: o, all: all, timeout: timeout}
			return p.run(c.Context(), count, rate)
		},
	}
	send.add(c.Flags())
	c.Flags().StringVar(&send.class, "class", "confirm", "what the receipt promises: fire or confirm")
	c.Flags().BoolVar(&all, "all", false, "to every provider within the TTL, once each")
	c.Flags().IntVar(&count, "count", 1, "send it `n` times")
	c.Flags().Float64Var(&rate, "rate", 0, "messages a second; 0: as fast as they are answered")
	c.Flags().DurationVar(&timeout, "timeout", mesh.DefaultLifetime, "how long each message may take")
	return c
}

// publication is one run of pub.
type publication struct {
	app     *app
	m       *api.Multi
	to      mesh.Address
	body    []byte
	options api.Send
	all     bool
	timeout time.Duration

	ok, failed int
	last       error
}

func (p *publication) run(ctx context.Context, count int, rate float64) error {
	start := time.Now()
	for i := range count {
		if rate > 0 {
			pause(ctx, time.Until(start.Add(time.Duration(float64(i)/rate*float64(time.Second)))))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.once(ctx)
	}
	return partly(p.ok, p.failed, p.last)
}

func (p *publication) once(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var recs []api.Receipt
	var err error
	switch {
	case p.to.Kind == mesh.KindGroup:
		var r api.Receipt
		if r, err = p.m.Broadcast(ctx, p.to.Name, p.body, p.options); err == nil {
			recs = append(recs, r)
		}
	case p.all:
		recs, err = p.m.PublishAll(ctx, p.to.String(), p.body, p.options)
	default:
		var r api.Receipt
		if r, err = p.m.Publish(ctx, p.to.String(), p.body, p.options); err == nil {
			recs = append(recs, r)
		}
	}
	for _, r := range recs {
		if e := p.app.receipt(r); e != nil {
			err = errors.Join(err, e)
		}
		if e := r.Status.Err(); r.Status != 0 && e != nil {
			p.failed++
			p.last = fmt.Errorf("%s: %w", r.Provider, e)
			continue
		}
		p.ok++
	}
	if err != nil {
		p.failed++
		p.last = err
	}
}

func (a *app) receipt(r api.Receipt) error {
	return a.object(r, func() error {
		if a.quiet {
			return nil
		}
		outcome := r.Outcome
		if outcome == "" {
			outcome = "sent"
		}
		provider := r.Provider.String()
		if r.Provider == "" {
			provider = "-"
		}
		return a.table(nil, [][]string{{outcome, provider, strconv.Itoa(r.Hops), short(r.RTT), r.ID}})
	})
}

// partly is nil when all went well, the last error when nothing did, and
// ErrPartly in between.
func partly(ok, failed int, last error) error {
	switch {
	case failed == 0:
		return nil
	case ok == 0:
		return last
	}
	return fmt.Errorf("%d of %d: %w: %w", ok, ok+failed, api.ErrPartly, last)
}
