package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/testground/sdk-go/network"
	"github.com/testground/sdk-go/run"
	tg "github.com/testground/sdk-go/runtime"
)

// slack is what a run may take beyond what its parameters ask for, starting
// hundreds of processes on a small machine included.
const slack = 5 * time.Minute

// perform plays a case from the parameters to the verdict.
func perform(env *tg.RunEnv, ic *run.InitContext, play func(context.Context, *instance) error) (err error) {
	p, err := readParams(env.TestInstanceParams, env.TestCase)
	if err != nil {
		return err
	}
	limit := slack + p.warmup + p.duration + 2*p.deadline
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, fmt.Errorf("the run takes more than %s", limit))
	defer cancel()

	meet := &meeting{client: ic.SyncClient, n: env.TestInstanceCount}
	ctx, stop, err := meet.watch(ctx)
	if err != nil {
		return err
	}
	defer stop()
	self := int(ic.GlobalSeq) - 1
	defer func() {
		if err != nil {
			_ = meet.fail(context.Background(), fmt.Sprintf("instance %d failed: %v", self+1, err))
		}
	}()
	if err := shape(ctx, ic.NetClient, p); err != nil {
		return err
	}
	ip, err := ic.NetClient.GetDataNetworkIP()
	if err != nil {
		return fmt.Errorf("find the address of this instance: %w", err)
	}
	in, err := newInstance(env, meet, p, self, ip.String())
	if err != nil {
		return err
	}
	defer func() {
		if e := in.stop(ctx, true); err == nil {
			err = e
		}
	}()
	if err := in.assemble(ctx); err != nil {
		return err
	}
	if err := play(ctx, in); err != nil {
		return err
	}
	return in.conclude(ctx)
}

// shape asks the sidecar for latency; without a sidecar the SDK says that it
// cannot be had, and the run goes on.
func shape(ctx context.Context, client *network.Client, p params) error {
	if p.latency == 0 && p.jitter == 0 && p.bandwidth == 0 {
		return nil
	}
	err := client.ConfigureNetwork(ctx, &network.Config{
		Network: "default",
		Enable:  true,
		Default: network.LinkShape{Latency: p.latency, Jitter: p.jitter, Bandwidth: uint64(p.bandwidth)},
		// All instances ask for it, or none: the state is theirs together.
		CallbackState: "shaped",
		RoutingPolicy: network.AllowAll,
	})
	if err != nil {
		return fmt.Errorf("shape the network: %w", err)
	}
	return nil
}

// assemble starts the node and links it as the graph says. When it returns,
// all links of all instances are there.
func (in *instance) assemble(ctx context.Context) error {
	begin := time.Now()
	if err := in.start(ctx); err != nil {
		return err
	}
	id, err := in.id()
	if err != nil {
		return err
	}
	if err := in.meet.announce(ctx, place{in.self, id.String(), in.running().Addrs()}); err != nil {
		return err
	}
	if in.near, err = in.meet.find(ctx, in.graph[in.self]); err != nil {
		return err
	}
	// Of two neighbours the first one dials.
	after := func(n int) bool { return n > in.self }
	if err := in.join(ctx, after, nil); err != nil {
		return err
	}
	in.point("assembled", ms(time.Since(begin)))
	if err := in.meet.barrier(ctx, "assembled"); err != nil {
		return err
	}
	in.began = time.Now()
	return nil
}

// conclude hands in the report and hears the verdict, which instance 1 finds
// for all.
func (in *instance) conclude(ctx context.Context) error {
	if err := in.meet.barrier(ctx, "played"); err != nil {
		return err
	}
	r, err := in.report()
	if err != nil {
		return err
	}
	if err := in.meet.hand(ctx, r); err != nil {
		return err
	}
	if in.self == 0 {
		reports, err := in.meet.gather(ctx)
		if err != nil {
			return err
		}
		s := summarize(in.env.TestCase, in.p, in.graph, in.roles, reports)
		line, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("print the figures: %w", err)
		}
		in.env.RecordMessage("%s%s", summaryMark, line)
		if err := in.meet.judge(ctx, verdict{s.Lies, s.Missed}); err != nil {
			return err
		}
	}
	return in.meet.hear(ctx)
}

// report gathers what this instance has to tell.
func (in *instance) report() (*report, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	r := &report{Instance: in.self, Peer: id.String(), Phases: in.phases}
	in.log.fill(r)
	_, r.Probes = in.counted()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return nil, os.NewSyscallError("getrusage", err)
	}
	r.CPU = (time.Duration(used.Utime.Nano()) + time.Duration(used.Stime.Nano())).Seconds()
	r.Memory = float64(used.Maxrss) / 1024 // KiB on Linux
	if runtime.GOOS == "darwin" {
		r.Memory /= 1024 // bytes there
	}
	return r, nil
}
