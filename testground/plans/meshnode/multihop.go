package main

import "context"

// multihop: few links each, so that services are several hops away. Messages
// to one, with a receipt or a reply in turn; then some to all providers.
func multihop(ctx context.Context, in *instance) error {
	in.traffic(ctx, warmup, in.p.rate, in.p.warmup, flowConfirm, flowRequest)
	err := in.phase(ctx, "one", func() error {
		in.traffic(ctx, "one", in.p.rate, in.p.duration, flowConfirm, flowRequest)
		return nil
	})
	if err != nil {
		return err
	}
	return in.phase(ctx, "all", func() error {
		in.traffic(ctx, "all", in.p.rate/5, in.p.duration/2, flowAll)
		return nil
	})
}
