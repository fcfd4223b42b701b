package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// discovery: nobody knows a provider, and instances look for one, each of one
// service and at its own time; then each sends its first message there.
//
// A search that finds nobody near asks the whole mesh, so that the work of all
// of them grows with the square of the instances: from and duration thin it out.
func discovery(ctx context.Context, in *instance) error {
	service := in.roles.targets(in.self, 1)[0]
	random := rand.New(rand.NewPCG(uint64(in.p.seed), hash("find")+uint64(in.self)))
	searches := in.roles.sends(in.self, in.p.from)
	node := in.running()
	err := in.phase(ctx, "find", func() error {
		if !searches {
			return nil
		}
		if wait(ctx.Done(), time.Duration(random.Float64()*float64(in.p.duration))) {
			return context.Cause(ctx)
		}
		begin := time.Now()
		_, err := node.Resolve(ctx, serviceName(service))
		took := ms(time.Since(begin))
		in.log.searched(took, err == nil)
		in.point("find", took)
		if err != nil {
			// Not found is a figure, not the end: the message will say so too.
			in.env.RecordMessage("find %s: %v", serviceName(service), err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return in.phase(ctx, "first", func() error {
		if searches {
			in.send(ctx, node, flowRequest, "first", service)
		}
		return nil
	})
}
