package main

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// send sends one message and notes what it was told.
func (in *instance) send(ctx context.Context, node *meshnode.Node, flow, phase string, service int) {
	ctx, cancel := context.WithTimeout(ctx, in.p.deadline)
	defer cancel()
	id := mesh.NewID()
	w := word{ID: id.String(), Flow: flow, Phase: phase, Service: service, At: in.since()}
	opts := []meshnode.SendOption{meshnode.WithID(id)}
	if in.p.failover {
		opts = append(opts, meshnode.WithFailover())
	}
	to, body := serviceName(service), payload(in.p.payload)
	by := func(p peer.ID) { w.By = append(w.By, told{p.String()}) }
	var err error
	switch flow {
	case flowConfirm:
		var r meshnode.Receipt
		if r, err = node.Publish(ctx, to, body, opts...); err == nil {
			by(r.Provider)
		}
		w.Tries = r.Attempts
	case flowRequest:
		var r meshnode.Reply
		if r, err = node.Request(ctx, to, body, opts...); err == nil {
			by(r.From)
			if string(r.Payload) != w.ID {
				w.Bad = "got the reply to another message"
			}
		}
	case flowAll:
		var all []meshnode.Receipt
		all, err = node.PublishAll(ctx, to, body, opts...)
		for _, r := range all {
			if r.Status == mesh.StatusOK {
				by(r.Provider)
			}
		}
	}
	w.Took = in.since() - w.At
	w.Status = statusOf(err)
	if err != nil {
		w.Why = err.Error()
	}
	in.log.told(w)
	in.point("latency,flow="+flow+",phase="+phase, w.Took)
}

// statusOf is the word in an error of a sender.
func statusOf(err error) mesh.Status {
	var s *meshnode.SendError
	switch {
	case err == nil:
		return mesh.StatusOK
	case errors.As(err, &s) && s.Status != 0:
		return s.Status
	case errors.Is(err, meshnode.ErrClosed):
		return mesh.StatusNotSent
	}
	for _, st := range []mesh.Status{mesh.StatusDraining, mesh.StatusNoProvider, mesh.StatusNoRoute, mesh.StatusBusy, mesh.StatusTimeout} {
		if errors.Is(err, st.Err()) {
			return st
		}
	}
	return mesh.StatusUnknown
}

// maxUnderway bounds the messages of one instance that wait for their word;
// more are not sent, and the rate is not kept.
const maxUnderway = 1024

// traffic sends for a while, at exponential intervals, each message of one of
// the flows and to one of the services, in turn; it returns when every message
// has its word. While the node is stopped nothing is sent.
func (in *instance) traffic(ctx context.Context, phase string, rate float64, lasts time.Duration, flows ...string) {
	if !in.roles.sends(in.self, in.p.from) {
		return
	}
	random := rand.New(rand.NewPCG(uint64(in.p.seed), hash(phase)+uint64(in.self)))
	targets := in.roles.targets(in.self, in.p.names)
	var wg sync.WaitGroup
	defer wg.Wait()
	room := make(chan struct{}, maxUnderway)
	end := time.Now().Add(lasts)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for n := 0; ; n++ {
		next := time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		timer.Reset(min(next, time.Until(end)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !time.Now().Before(end) {
			return
		}
		node := in.running()
		if node == nil {
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		flow, service := flows[n%len(flows)], targets[n/len(flows)%len(targets)]
		wg.Go(func() {
			in.send(ctx, node, flow, phase, service)
			<-room
		})
	}
}

// hash tells phases apart in what is drawn.
func hash(phase string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, phase)
	return h.Sum64()
}
