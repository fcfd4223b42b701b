package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

const maxBenchHops = mesh.MaxTTL

func (a *app) benchCmd() *cobra.Command {
	return parent("bench", "Measure rate, latency, loss and duplicates",
		`  meshnode bench request --hops 3 --rate 500
  meshnode bench pub orders --duration 30s --class fire`,
		a.benchPubCmd(), a.benchRequestCmd())
}

// benchFlags are the options of a measurement.
type benchFlags struct {
	load
	hops  int
	class string
}

func (b *benchFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.Float64Var(&b.rate, "rate", 0, "messages a second, sent on time however slow the answers are; 0: each worker sends when it has its answer")
	f.DurationVar(&b.duration, "duration", 5*time.Second, "how long to send")
	f.IntVar(&b.size, "size", 128, "bytes of each body, 8 to 1048576")
	f.IntVar(&b.concurrency, "concurrency", 16, "messages in flight at most")
	f.DurationVar(&b.timeout, "timeout", 10*time.Second, "how long one message may take")
	f.IntVar(&b.hops, "hops", 0, "measure a line of `n`+1 nodes in this process, without a daemon")
}

func (b *benchFlags) check(args []string) error {
	switch {
	case b.size < 8 || b.size > mesh.MaxPayload:
		return api.Fail(api.ErrUsage, "--size %d: want 8 to %d", b.size, mesh.MaxPayload)
	case b.rate < 0 || b.rate > 1e6:
		return api.Fail(api.ErrUsage, "--rate %v: want 0 to 1000000", b.rate)
	case b.concurrency < 1 || b.concurrency > 4096:
		return api.Fail(api.ErrUsage, "--concurrency %d: want 1 to 4096", b.concurrency)
	case b.duration <= 0 || b.duration > time.Hour || b.timeout <= 0 || b.timeout > mesh.MaxLifetime:
		return api.Fail(api.ErrUsage, "--duration must be up to 1h, --timeout up to %v", mesh.MaxLifetime)
	case b.hops < 0 || b.hops > maxBenchHops:
		return api.Fail(api.ErrUsage, "--hops %d: want 1 to %d", b.hops, maxBenchHops)
	case (b.hops > 0) == (len(args) > 0):
		return api.Fail(api.ErrUsage, "say what to measure: an address (of a running daemon's mesh) or --hops")
	}
	return nil
}

func (a *app) benchPubCmd() *cobra.Command {
	var b benchFlags
	c := &cobra.Command{
		Use:   "pub [ADDRESS]",
		Short: "Measure messages and their receipts",
		Long: `Measure messages and their receipts. With --hops the receiver is in this
process, and lost and repeated messages are counted there; with an address, what
no receipt came for is counted as failed.`,
		Example: `  meshnode bench pub --hops 4 --class fire
  meshnode bench pub orders --rate 1000 --duration 1m`,
		Args: cobra.MaximumNArgs(1),
	}
	b.add(c)
	c.Flags().StringVar(&b.class, "class", "confirm", "fire or confirm")
	c.RunE = func(c *cobra.Command, args []string) error {
		class, err := api.ParseClass(b.class)
		if err != nil {
			return err
		}
		return a.bench(c.Context(), "pub", b, args, class)
	}
	return c
}

func (a *app) benchRequestCmd() *cobra.Command {
	var b benchFlags
	c := &cobra.Command{
		Use:   "request [ADDRESS]",
		Short: "Measure requests and their answers",
		Long: `Measure requests and their answers. Whoever serves the address must send back
what it gets, as "meshnode reply NAME --echo" does; an answer that differs is
counted as failed.`,
		Example: `  meshnode bench request --hops 3
  meshnode bench request echo --rate 200 --duration 1m`,
		Args: cobra.MaximumNArgs(1),
	}
	b.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.bench(c.Context(), "request", b, args, 0)
	}
	return c
}

func (a *app) bench(ctx context.Context, verb string, b benchFlags, args []string, class mesh.Class) error {
	if err := b.check(args); err != nil {
		return err
	}
	var t target
	var err error
	if len(args) > 0 {
		if _, err := mesh.ParseAddress(args[0]); err != nil {
			return err
		}
	}
	if b.hops > 0 {
		t, err = newLine(ctx, b.hops, verb == "request", class)
	} else {
		t, err = a.daemonTarget(ctx, args[0], verb == "request", class)
	}
	if err != nil {
		return err
	}
	defer t.close()
	r := b.run(ctx, t.send)
	if t.received != nil {
		r.count(ctx, t.received)
	}
	r.Verb, r.Hops = verb, b.hops
	if err := a.object(r, func() error { return a.benchText(r) }); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return partly(int(r.OK), int(r.Failed), r.last)
}

func (a *app) benchText(r *benchResult) error {
	rows := [][]string{
		{"answered", fmt.Sprintf("%d of %d in %v", r.OK, r.Sent, r.Elapsed.Round(time.Millisecond))},
		{"rate", fmt.Sprintf("%.1f a second, %.2f MB/s", r.Rate, r.Rate*float64(r.Size)/1e6)},
		{"latency", fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", short(r.P50), short(r.P90), short(r.P99), short(r.P999), short(r.Max))},
		{"failed", fmt.Sprint(r.Failed)},
	}
	if r.Unsent > 0 {
		rows = append(rows, []string{"not sent in time", fmt.Sprint(r.Unsent)})
	}
	if r.Lost != nil {
		rows = append(rows, []string{"lost", fmt.Sprint(*r.Lost)}, []string{"repeated", fmt.Sprint(*r.Repeated)})
	}
	return a.table(nil, rows)
}
