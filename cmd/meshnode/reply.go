package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) replyCmd() *cobra.Command {
	var echo bool
	var command string
	var attrs []string
	var count, concurrency int
	c := &cobra.Command{
		Use:   "reply SERVICE [TEMPLATE]",
		Short: "Serve a service: answer requests with a template, an echo or a program",
		Long: `Serve a service, until Ctrl-C or --count answers.

TEMPLATE is a Go template of {{.Request}}, {{.Count}}, {{.ID}} and {{.Headers}}.
With --exec a shell runs the command for each request: the body is its standard
input, its standard output the answer, MESHNODE_ID, MESHNODE_FROM and
MESHNODE_SERVICE its environment; an exit code other than 0 is a failure, whose
sentence is the end of standard error.`,
		Example: `  meshnode reply greet 'hello {{.Request}}'
  meshnode reply resize --exec ./resize.sh --attr disk=ssd --attr 'caps=[gpu,pdf]'`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeServices,
		RunE: func(c *cobra.Command, args []string) error {
			attributes, err := attributes(attrs)
			if err != nil {
				return err
			}
			if err := mesh.ValidName("service name", args[0]); err != nil {
				return err
			}
			if count < 0 || concurrency < 1 || concurrency > api.MaxConcurrency {
				return api.Fail(api.ErrUsage, "--count must not be negative, --concurrency 1 to %d", api.MaxConcurrency)
			}
			answer, err := answerer(args[1:], echo, command)
			if err != nil {
				return err
			}
			m, err := a.daemons(c.Context())
			if err != nil {
				return err
			}
			defer m.Close()
			w := workshop{app: a, answer: answer, count: int64(count), room: make(chan struct{}, concurrency)}
			return w.run(c.Context(), m, args[0], api.Serve{Concurrency: concurrency, Attributes: attributes})
		},
	}
	c.Flags().BoolVar(&echo, "echo", false, "answer with the request itself")
	c.Flags().StringVar(&command, "exec", "", "answer with what this shell `command` prints")
	c.Flags().StringArrayVar(&attrs, "attr", nil, "`name=value` that selectors may ask for, or name=[a,b]; may be repeated")
	c.Flags().IntVar(&count, "count", 0, "end after `n` answers; 0: never")
	c.Flags().IntVar(&concurrency, "concurrency", 16, "requests worked on at the same time")
	return c
}

// workshop answers work, as many items at a time as it has room for.
type workshop struct {
	app    *app
	answer answerFunc
	count  int64 // 0: no end
	room   chan struct{}

	taken, answered atomic.Int64
	wg              sync.WaitGroup
}

func (w *workshop) run(ctx context.Context, m *api.Multi, service string, o api.Serve) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s, err := m.Work(ctx, service, o)
	if err != nil {
		return err
	}
	defer s.Close()
	defer w.wg.Wait() // before the stream, which gives up what is not answered
	w.app.say("answering %q", service)
	for item, err := range s.All() {
		if errors.Is(err, api.ErrNoDaemon) {
			return err
		}
		if err != nil {
			w.app.printError(err)
			continue
		}
		n := w.taken.Add(1)
		if w.count > 0 && n > w.count {
			w.refuse(ctx, &item)
			continue
		}
		w.room <- struct{}{}
		w.wg.Go(func() {
			w.one(ctx, &item, n)
			<-w.room
			if w.answered.Add(1) == w.count {
				stop()
			}
		})
	}
	if w.count > 0 && w.answered.Load() >= w.count {
		return nil
	}
	return ctx.Err()
}

// one answers an item within its time.
func (w *workshop) one(ctx context.Context, item *api.Work, n int64) {
	limit, cancel := context.WithDeadline(ctx, item.Expires)
	defer cancel()
	r, err := w.answer(limit, item, n)
	told, end := context.WithTimeout(context.WithoutCancel(ctx), time.Until(item.Expires)+time.Second)
	defer end()
	if err != nil {
		w.app.say("%s failed: %s", item.ID, escape(err.Error()))
		err = item.Fail(told, err.Error(), false)
	} else {
		err = item.Answer(told, r)
	}
	if err != nil {
		w.app.say("%s: the answer came too late: %s", item.ID, escape(err.Error()))
	}
}

// refuse gives an item back: nothing was done.
func (w *workshop) refuse(ctx context.Context, item *api.Work) {
	told, end := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer end()
	_ = item.Fail(told, "this worker is about to end", true) // it ends, which says the same
}
