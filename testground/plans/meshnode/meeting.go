package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/testground/sdk-go/sync"
)

// meeting is where instances exchange what only one of them knows, through the
// sync service. Its errors name what was waited for.
//
// A subscription is left open until ctx ends: to end one while messages come
// makes the client write to a closed channel.
type meeting struct {
	client sync.Client
	n      int // instances
}

// place is where the node of an instance can be found.
type place struct {
	Instance int
	Peer     string
	Addrs    []string // multiaddrs with the peer ID
}

// verdict is what instance 1 finds in all reports.
type verdict struct {
	Lies   int
	Missed []string // what makes the run fail, as sentences
}

// piece is a part of a report. The client reads at most 32 KiB at a time, and
// bytes travel in base 64.
type piece struct {
	Instance, Part, Of int
	Bytes              []byte
}

const pieceSize = 16 << 10

// barrier returns when every instance has come to it.
func (m *meeting) barrier(ctx context.Context, name string) error {
	if _, err := m.client.SignalAndWait(ctx, sync.State(name), m.n); err != nil {
		return fmt.Errorf("wait for all instances at %q: %w", name, errors.Join(err, context.Cause(ctx)))
	}
	return nil
}

func placeTopic(instance int) *sync.Topic {
	return sync.NewTopic(fmt.Sprintf("place-%d", instance), place{})
}

// announce tells where the node of this instance is.
func (m *meeting) announce(ctx context.Context, p place) error {
	if _, err := m.client.Publish(ctx, placeTopic(p.Instance), p); err != nil {
		return fmt.Errorf("announce the node: %w", err)
	}
	return nil
}

// find waits for the places of some instances. Each has its own topic, so that
// the traffic grows with the links and not with the square of the instances.
func (m *meeting) find(ctx context.Context, who []int) (map[int]place, error) {
	ch := make(chan place, len(who))
	for _, i := range who {
		if _, err := m.client.Subscribe(ctx, placeTopic(i), ch); err != nil {
			return nil, fmt.Errorf("ask where instance %d is: %w", i+1, err)
		}
	}
	out := make(map[int]place, len(who))
	for len(out) < len(who) {
		select {
		case p := <-ch:
			out[p.Instance] = p
		case <-ctx.Done():
			return nil, fmt.Errorf("find %d neighbours, of which %d have told where they are: %w", len(who), len(out), context.Cause(ctx))
		}
	}
	return out, nil
}

var (
	failures = sync.NewTopic("failures", "")
	pieces   = sync.NewTopic("reports", piece{})
	verdicts = sync.NewTopic("verdicts", verdict{})
)

// fail tells all instances that the run is lost, so that none waits for this one.
func (m *meeting) fail(ctx context.Context, why string) error {
	_, err := m.client.Publish(ctx, failures, why)
	return err
}

// watch ends the context it returns when an instance fails, with why as cause.
// The function ends it, too, and the watch.
func (m *meeting) watch(ctx context.Context) (context.Context, func(), error) {
	ch := make(chan string, 1)
	if _, err := m.client.Subscribe(ctx, failures, ch); err != nil {
		return nil, nil, fmt.Errorf("listen for failures: %w", err)
	}
	watched, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case why := <-ch:
			cancel(errors.New(why))
		case <-watched.Done():
		}
	}()
	return watched, func() { cancel(nil); <-done }, nil
}

// hand gives a report to instance 1.
func (m *meeting) hand(ctx context.Context, r *report) error {
	b, err := r.pack()
	if err != nil {
		return err
	}
	of := max(1, (len(b)+pieceSize-1)/pieceSize)
	for part := range of {
		p := piece{r.Instance, part, of, b[part*pieceSize : min((part+1)*pieceSize, len(b))]}
		if _, err := m.client.Publish(ctx, pieces, p); err != nil {
			return fmt.Errorf("hand in part %d of %d of the report: %w", part+1, of, err)
		}
	}
	return nil
}

// gather waits for the reports of all instances, in their order.
func (m *meeting) gather(ctx context.Context) ([]*report, error) {
	ch := make(chan piece, 64)
	if _, err := m.client.Subscribe(ctx, pieces, ch); err != nil {
		return nil, fmt.Errorf("gather reports: %w", err)
	}
	parts := make(map[int][][]byte)
	have := make(map[int]int)
	out := make([]*report, m.n)
	for left := m.n; left > 0; {
		select {
		case p := <-ch:
			if parts[p.Instance] == nil {
				parts[p.Instance] = make([][]byte, p.Of)
			}
			parts[p.Instance][p.Part] = p.Bytes
			if have[p.Instance]++; have[p.Instance] < p.Of {
				continue
			}
			r, err := unpackReport(joined(parts[p.Instance]))
			if err != nil {
				return nil, fmt.Errorf("instance %d: %w", p.Instance+1, err)
			}
			out[p.Instance] = r
			delete(parts, p.Instance)
			left--
		case <-ctx.Done():
			return nil, fmt.Errorf("gather reports: %d of %d are missing: %w", left, m.n, context.Cause(ctx))
		}
	}
	return out, nil
}

func joined(parts [][]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// judge tells everybody the verdict.
func (m *meeting) judge(ctx context.Context, v verdict) error {
	if _, err := m.client.Publish(ctx, verdicts, v); err != nil {
		return fmt.Errorf("tell the verdict: %w", err)
	}
	return nil
}

// hear waits for the verdict, and is an error when something was missed.
func (m *meeting) hear(ctx context.Context) error {
	ch := make(chan verdict, 1)
	if _, err := m.client.Subscribe(ctx, verdicts, ch); err != nil {
		return fmt.Errorf("hear the verdict: %w", err)
	}
	select {
	case v := <-ch:
		if len(v.Missed) > 0 {
			return fmt.Errorf("%d words are not what happened; %s", v.Lies, strings.Join(v.Missed, "; "))
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("hear the verdict: %w", context.Cause(ctx))
	}
}
