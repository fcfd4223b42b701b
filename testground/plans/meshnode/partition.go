package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// partition: for a while every link between two parts of the mesh is ended and
// refused, while messages are on their way.
func partition(ctx context.Context, in *instance) error {
	in.traffic(ctx, warmup, in.p.rate, in.p.warmup, flowRequest)
	return in.phase(ctx, "partition", func() error {
		done := make(chan error, 1)
		go func() { done <- in.sever(ctx) }()
		in.traffic(ctx, "partition", in.p.rate, in.p.duration, flowRequest)
		return <-done
	})
}

// sever cuts this node's links to the other side when the time has come, and
// heals them. Both ends of a link do it, so each refuses the other.
func (in *instance) sever(ctx context.Context) error {
	across := func(n int) bool { return in.roles.cutOff(in.self, n) }
	if wait(ctx.Done(), in.p.partitionAt) {
		return context.Cause(ctx)
	}
	node := in.running()
	for _, n := range in.graph[in.self] {
		if !across(n) {
			continue
		}
		id, err := peer.Decode(in.near[n].Peer)
		if err == nil {
			err = node.Disconnect(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("cut the link with instance %d: %w", n+1, err)
		}
	}
	if wait(ctx.Done(), in.p.partitionFor) {
		return context.Cause(ctx)
	}
	begin := in.since()
	// Each takes back its own refusal by dialling.
	if err := in.join(ctx, across, across); err != nil {
		return errors.Join(errors.New("heal the links"), err)
	}
	in.log.relinked(in.since() - begin)
	return nil
}
