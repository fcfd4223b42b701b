package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// target is what a measurement sends to.
type target struct {
	send     func(ctx context.Context, body []byte) error
	received func() (distinct, repeated uint64) // nil: not known here
	close    func()
}

var errDiffers = errors.New("the answer differs from the request")

// daemonTarget sends through a running daemon.
func (a *app) daemonTarget(ctx context.Context, to string, ask bool, class mesh.Class) (target, error) {
	m, err := a.daemons(ctx)
	if err != nil {
		return target{}, err
	}
	t := target{close: m.Close}
	t.send = func(ctx context.Context, body []byte) error {
		_, err := m.Publish(ctx, to, body, api.Send{Class: class})
		return err
	}
	if ask {
		t.send = func(ctx context.Context, body []byte) error {
			r, err := m.Request(ctx, to, body, api.Send{})
			if err == nil && !bytes.Equal(r.Bytes(), body) {
				err = errDiffers
			}
			return err
		}
	}
	return t, nil
}

const benchService = "bench"

// newLine builds nodes in this process, each the neighbour of the next; the
// last serves what the first sends to.
func newLine(ctx context.Context, hops int, ask bool, class mesh.Class) (t target, err error) {
	var nodes []*meshnode.Node
	t.close = func() {
		for _, n := range nodes {
			_ = n.Close() // nothing depends on it any more
		}
	}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	for i := range hops + 1 {
		opts := []meshnode.Option{
			meshnode.WithName(fmt.Sprintf("bench-%d", i)), meshnode.WithMDNS(false),
			meshnode.WithListen("/ip4/127.0.0.1/tcp/0"),
		}
		n, err := meshnode.New(ctx, opts...)
		if err != nil {
			return t, fmt.Errorf("node %d of the line: %w", i, err)
		}
		nodes = append(nodes, n)
		if i > 0 {
			if _, err := n.Connect(ctx, nodes[i-1].Addrs()[0]); err != nil {
				return t, fmt.Errorf("node %d of the line: %w", i, err)
			}
		}
	}
	for i, n := range nodes {
		want := 2
		if i == 0 || i == hops {
			want = 1
		}
		if err := n.Wait(ctx, meshnode.PeersAtLeast(want)); err != nil {
			return t, fmt.Errorf("node %d of the line: %w", i, err)
		}
	}
	var seen sequence
	_, err = nodes[hops].Handle(benchService, func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		seen.add(m.Payload)
		return meshnode.Reply{Payload: m.Payload}, nil
	})
	if err != nil {
		return t, err
	}
	first := nodes[0]
	if _, err = first.Resolve(ctx, benchService); err != nil {
		return t, fmt.Errorf("find the end of the line: %w", err)
	}
	t.received = seen.counts
	t.send = func(ctx context.Context, body []byte) error {
		_, err := first.Publish(ctx, benchService, body, meshnode.WithClass(class))
		return err
	}
	if ask {
		t.send = func(ctx context.Context, body []byte) error {
			r, err := first.Request(ctx, benchService, body)
			if err == nil && !bytes.Equal(r.Payload, body) {
				err = errDiffers
			}
			return err
		}
	}
	return t, nil
}

// sequence counts the numbers that arrived, and those that came again.
type sequence struct {
	mu                 sync.Mutex
	bits               []uint64
	distinct, repeated uint64
}

func (s *sequence) add(body []byte) {
	if len(body) < 8 {
		return
	}
	n := binary.BigEndian.Uint64(body)
	if n > 1<<33 { // more than an hour at the highest rate
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for uint64(len(s.bits)) <= n/64 {
		s.bits = append(s.bits, make([]uint64, 1024)...)
	}
	if s.bits[n/64]&(1<<(n%64)) != 0 {
		s.repeated++
		return
	}
	s.bits[n/64] |= 1 << (n % 64)
	s.distinct++
}

func (s *sequence) counts() (distinct, repeated uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.distinct, s.repeated
}
