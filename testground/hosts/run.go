package hosts

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/internal/memnet"
	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// startWithin bounds the time until all links are up, in virtual time.
const startWithin = time.Minute

// play is one run.
type play struct {
	s        *sim.Scenario
	mesh     *Mesh
	services []service
	away     []leaving
	parted   []partition
	account  account
	begin    time.Time
	wg       sync.WaitGroup // messages on their way, nodes that leave or come

	mu   sync.Mutex
	errs []error // of nodes and handlers; there are none
}

// Run plays a scenario and gives its figures. Cost is left to the caller: in
// here, time is virtual. The error is of a mesh that could not run; words that
// were wrong are failures of the result.
func Run(ctx context.Context, scenario *sim.Scenario) (*sim.Result, error) {
	p, err := run(ctx, scenario)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", scenario.Name, err)
	}
	return p.result(), nil
}

func run(ctx context.Context, scenario *sim.Scenario) (*play, error) {
	s := fill(*scenario)
	if err := Check(&s); err != nil {
		return nil, err
	}
	p := &play{s: &s, services: places(&s), away: leavings(&s), parted: partitions(&s)}
	w := memory{memnet.New(memnet.Config{
		Bandwidth: s.Link.Bandwidth,
		Latency:   func(a, b uint64) time.Duration { return latency(s.Link, s.Seed, a, b) },
	})}
	var err error
	if p.mesh, err = newMesh(w, regular(s.Nodes, s.Topology.Degree, random(s.Seed, forGraph)), s.Seed); err != nil {
		return nil, err
	}
	p.mesh.began = p.serve
	up, cancel := context.WithTimeout(ctx, startWithin)
	err = p.mesh.Start(up)
	cancel()
	if err == nil {
		p.begin = time.Now()
		err = p.timeline(ctx)
		p.wg.Wait()
	}
	err = errors.Join(err, p.mesh.Close(), errors.Join(p.errs...))
	if n := p.mesh.world.open(); n != 0 && err == nil {
		err = fmt.Errorf("%d connections are left open", n)
	}
	return p, err
}

// moment is something to do at a time.
type moment struct {
	at time.Duration
	do func(ctx context.Context)
}

// timeline does all there is to do, in order.
func (p *play) timeline(ctx context.Context) error {
	var all []moment
	for _, s := range sends(p.s, p.services) {
		all = append(all, moment{s.at, func(ctx context.Context) { p.dispatch(ctx, s) }})
	}
	for _, l := range p.away {
		all = append(all,
			moment{l.from, func(context.Context) { p.go_(func() error { return p.mesh.leave(l.node, l.kill) }) }},
			moment{l.to, func(ctx context.Context) { p.go_(func() error { return p.mesh.back(ctx, l.node) }) }},
		)
	}
	for _, c := range p.parted {
		all = append(all,
			moment{c.from, func(context.Context) { p.mesh.part(func(i int) bool { return c.small[i] }) }},
			moment{c.to, func(context.Context) { p.mesh.part(nil) }},
		)
	}
	slices.SortStableFunc(all, func(a, b moment) int { return int(a.at - b.at) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, m := range all {
		timer.Reset(m.at - time.Since(p.begin))
		select {
		case <-timer.C:
			m.do(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// go_ runs what may last, and keeps its error.
func (p *play) go_(f func() error) {
	p.wg.Go(func() { p.keep(f()) })
}

func (p *play) keep(err error) {
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

func (p *play) now() time.Duration { return time.Since(p.begin) }

// serve registers the handlers of a node.
func (p *play) serve(i, life int, n *meshnode.Node) error {
	for _, sv := range p.services {
		if !slices.Contains(sv.providers, i) {
			continue
		}
		h := func(ctx context.Context, m *meshnode.Message) (meshnode.Reply, error) {
			return p.handle(ctx, i, life, sv.handler, m)
		}
		if _, err := n.Handle(sv.name, h, meshnode.WithConcurrency(sv.handler.Concurrency)); err != nil {
			return err
		}
	}
	return nil
}

// handle takes the time of a handler.
func (p *play) handle(ctx context.Context, node, life int, h sim.Handler, m *meshnode.Message) (meshnode.Reply, error) {
	number := int(binary.BigEndian.Uint64(m.Payload))
	if err := p.account.handled(number, visit{node, life, m.Hops, p.now()}); err != nil {
		p.keep(err)
		return meshnode.Reply{}, err
	}
	r := random(p.s.Seed, forHandlers<<48|uint64(number)<<16|uint64(node))
	timer := time.NewTimer(h.Time + time.Duration(r.ExpFloat64()*float64(h.Spread)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return meshnode.Reply{Payload: m.Payload[:8]}, nil
}

// dispatch sends a message, if its sender is up.
func (p *play) dispatch(ctx context.Context, s send) {
	n := p.mesh.Node(s.from)
	if n == nil {
		return
	}
	number := p.account.add(s)
	payload := make([]byte, max(8, s.flow.Size))
	binary.BigEndian.PutUint64(payload, uint64(number))
	p.wg.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, s.flow.Deadline)
		defer cancel()
		status, told := p.deliver(ctx, n, s, payload)
		p.account.end(number, p.now(), status, told...)
	})
}

// deliver sends and waits for the word.
func (p *play) deliver(ctx context.Context, n *meshnode.Node, s send, payload []byte) (mesh.Status, []word) {
	var opts []meshnode.SendOption
	if s.flow.Failover {
		opts = append(opts, meshnode.WithFailover())
	}
	switch {
	case s.flow.Mode == "all":
		all, err := n.PublishAll(ctx, s.to, payload, opts...)
		var told []word
		for _, r := range all {
			if r.Status == mesh.StatusOK {
				told = append(told, word{p.mesh.Index(r.Provider), r.Hops})
			}
		}
		return statusOf(err), told
	case s.flow.Request:
		r, err := n.Request(ctx, s.to, payload, opts...)
		if err != nil {
			return statusOf(err), nil
		}
		if len(r.Payload) != 8 || string(r.Payload) != string(payload[:8]) {
			p.keep(fmt.Errorf("the reply to %x is %x", payload[:8], r.Payload))
		}
		return mesh.StatusOK, []word{{p.mesh.Index(r.From), r.Hops}}
	}
	r, err := n.Publish(ctx, s.to, payload, opts...)
	if err != nil {
		return statusOf(err), nil
	}
	return mesh.StatusOK, []word{{p.mesh.Index(r.Provider), r.Hops}}
}
