package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// churn: nodes stop, some of them without a word, and come back, while
// messages are on their way.
func churn(ctx context.Context, in *instance) error {
	in.traffic(ctx, warmup, in.p.rate, in.p.warmup, flowRequest)
	return in.phase(ctx, "churn", func() error {
		over, end := context.WithCancel(ctx)
		defer end()
		restarted := make(chan error, 1)
		go func() { restarted <- in.restarts(ctx, over.Done()) }()
		in.traffic(ctx, "churn", in.p.rate, in.p.duration, flowRequest)
		end()
		return <-restarted
	})
}

// restarts stops the node at exponential intervals and starts it again, until
// over is closed; then it is running.
func (in *instance) restarts(ctx context.Context, over <-chan struct{}) error {
	if in.p.churnRate == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(uint64(in.p.seed), hash("restarts")+uint64(in.self)))
	each := float64(time.Minute) / in.p.churnRate
	for {
		if wait(over, time.Duration(random.ExpFloat64()*each)) {
			return nil
		}
		from := in.since()
		last, cancel := context.WithTimeout(ctx, in.p.downtime+time.Second)
		err := in.stop(last, random.Float64() < in.p.kill)
		cancel()
		if err != nil {
			return err
		}
		wait(over, in.p.downtime)
		if err := in.start(ctx, in.addresses()...); err != nil {
			return err
		}
		in.log.down(span{from, in.since()})
	}
}

// wait waits, and tells whether over was closed before.
func wait(over <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-timer.C:
		return false
	}
}
