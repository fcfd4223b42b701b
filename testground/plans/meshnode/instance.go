package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/testground/sdk-go/runtime"

	"github.com/meshnode/meshnode"
)

// instance is one process of the run: a node, which may be stopped and started
// again under the same identity and addresses, and what it did and saw.
type instance struct {
	env    *runtime.RunEnv
	meet   *meeting
	p      params
	graph  graph
	roles  roles
	self   int
	key    crypto.PrivKey
	listen []string
	near   map[int]place // the neighbours in the graph
	began  time.Time     // of the case

	log    journal
	phases map[string]phase
	points sync.Mutex // the SDK's metrics are for one goroutine at a time

	mu     sync.Mutex
	node   *meshnode.Node // nil while it is stopped
	life   int
	frames uint64 // of the lives that are over
	probes uint64
}

// newInstance draws the identity, and where to listen.
func newInstance(env *runtime.RunEnv, meet *meeting, p params, self int, ip string) (*instance, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw an identity: %w", err)
	}
	in := &instance{env: env, meet: meet, p: p, self: self, key: key}
	in.graph = regular(meet.n, p.degree, uint64(p.seed))
	in.roles = drawRoles(meet.n, p)
	// A fixed port below those that the system hands out, so that it is still
	// free when the node comes back.
	port := p.port + self
	if p.transport != "quic" {
		in.listen = append(in.listen, fmt.Sprintf("/ip4/%s/tcp/%d", ip, port))
	}
	if p.transport != "tcp" {
		in.listen = append(in.listen, fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", ip, port))
	}
	return in, nil
}

// start starts the node and its services. peers are dialled, and kept.
func (in *instance) start(ctx context.Context, peers ...string) error {
	node, err := meshnode.New(ctx,
		meshnode.WithName(fmt.Sprintf("instance-%d", in.self+1)),
		meshnode.WithNetwork(in.env.TestRun), meshnode.WithIdentity(in.key),
		meshnode.WithListen(in.listen...), meshnode.WithMDNS(false), meshnode.WithPeers(peers...),
		meshnode.WithProfile("server"))
	if err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	in.mu.Lock()
	life := in.life
	in.mu.Unlock()
	for _, s := range in.roles.served(in.self) {
		if _, err := node.Handle(serviceName(s), in.log.handler(life)); err != nil {
			return errors.Join(err, node.Close())
		}
	}
	in.mu.Lock()
	in.node = node
	in.mu.Unlock()
	return nil
}

// stop ends the node: with kill at once and without a word, else gracefully.
// What it counted is kept.
func (in *instance) stop(ctx context.Context, kill bool) error {
	in.mu.Lock()
	node := in.node
	in.node = nil
	in.life++
	in.mu.Unlock()
	if node == nil {
		return nil
	}
	var err error
	if kill {
		err = node.Close()
	} else if err = node.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		err = nil // it was closed all the same
	}
	c := node.Status().Counters
	in.mu.Lock()
	in.frames += c["forwarded"]
	in.probes += c["probes"]
	in.mu.Unlock()
	if err != nil {
		return fmt.Errorf("stop the node: %w", err)
	}
	return nil
}

// running is the node, or nil while it is stopped.
func (in *instance) running() *meshnode.Node {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.node
}

// counted gives the frames passed on and the probes sent, of all lives.
func (in *instance) counted() (frames, probes uint64) {
	in.mu.Lock()
	frames, probes, node := in.frames, in.probes, in.node
	in.mu.Unlock()
	if node != nil {
		c := node.Status().Counters
		frames, probes = frames+c["forwarded"], probes+c["probes"]
	}
	return frames, probes
}

// id is the peer ID, of every life.
func (in *instance) id() (peer.ID, error) { return peer.IDFromPrivateKey(in.key) }

// phase is a part of a case that all instances play at the same time.
type phase struct {
	span
	Frames uint64 `json:"frames"` // passed on by the node, copies of floods each
}

// phase plays a part of the case, from when all have come to it until all
// have done it, and counts the frames.
func (in *instance) phase(ctx context.Context, name string, play func() error) error {
	if err := in.meet.barrier(ctx, name+" begins"); err != nil {
		return err
	}
	before, _ := in.counted()
	p := phase{span: span{From: in.since()}}
	if err := play(); err != nil {
		return err
	}
	if err := in.meet.barrier(ctx, name+" ends"); err != nil {
		return err
	}
	p.To = in.since()
	after, _ := in.counted()
	p.Frames = after - before
	if in.phases == nil {
		in.phases = make(map[string]phase)
	}
	in.phases[name] = p
	return nil
}

// point records a measured value for Testground.
func (in *instance) point(name string, value float64) {
	in.points.Lock()
	defer in.points.Unlock()
	in.env.R().RecordPoint(name, value)
}

// since gives ms since the case began.
func (in *instance) since() float64 { return ms(time.Since(in.began)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// again is the pause between two tries to link.
const again = 200 * time.Millisecond

// join dials the neighbours for which dials holds, and returns when all those
// are linked for which pick holds; nil is all.
func (in *instance) join(ctx context.Context, dials, pick func(neighbour int) bool) error {
	node := in.running()
	var wg sync.WaitGroup
	errs := make([]error, len(in.graph[in.self]))
	for i, n := range in.graph[in.self] {
		if dials(n) {
			wg.Go(func() { errs[i] = in.connect(ctx, node, n) })
		}
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return node.Wait(ctx, func(_ context.Context, node *meshnode.Node) (bool, string) {
		linked := make(map[string]bool)
		for _, p := range node.Peers() {
			linked[p.ID.String()] = true
		}
		for _, n := range in.graph[in.self] {
			if (pick == nil || pick(n)) && !linked[in.near[n].Peer] {
				return false, fmt.Sprintf("no link with instance %d", n+1)
			}
		}
		return true, ""
	})
}

// connect dials a neighbour until it is linked: one that is not up yet, or
// still refuses the link, may take it in a moment.
func (in *instance) connect(ctx context.Context, node *meshnode.Node, neighbour int) error {
	pause := time.NewTicker(again)
	defer pause.Stop()
	for {
		_, err := node.Connect(ctx, in.near[neighbour].Addrs[0])
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("link with instance %d: %w", neighbour+1, errors.Join(err, context.Cause(ctx)))
		case <-pause.C:
		}
	}
}

// addresses of all neighbours, for a node that comes back.
func (in *instance) addresses() []string {
	var out []string
	for _, n := range in.graph[in.self] {
		out = append(out, in.near[n].Addrs...)
	}
	return out
}
