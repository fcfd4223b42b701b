package servicerouting

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// ErrForwarded is returned when a message is passed on a second time.
var ErrForwarded = errors.New("the message was passed on once already")

// Forward passes the message on, under the same ID and with its origin's
// signature, to another provider whose attributes match the selector too, and
// gives what that one answered. A message is passed on once: budget of one.
func (d *Delivery) Forward(ctx context.Context, selector string) (Result, error) {
	sel, err := mesh.ParseSelector(selector)
	if err != nil {
		return Result{}, err
	}
	first := false
	d.once.Do(func() { first = true })
	if !first || d.hop.Flags&mesh.FlagForwarded != 0 {
		return Result{}, fmt.Errorf("forward %s: %w", d.Envelope.ID, ErrForwarded)
	}
	to := d.Envelope.Address
	if to.Kind != mesh.KindService {
		return Result{}, fmt.Errorf("forward: %s is not a service: %w", to, mesh.ErrMalformed)
	}
	if to.Selector, err = to.Selector.And(sel); err != nil {
		return Result{}, err
	}
	ttl, hops := d.Envelope.TTL, uint8(0)
	if !d.home {
		if d.hop.TTL <= 1 {
			return Result{}, fmt.Errorf("forward %s: %w", d.Envelope.ID, mesh.ErrTTL)
		}
		ttl, hops = d.hop.TTL-1, d.hop.Hops+1
	}
	out := &outgoing{rest: d.rest, env: d.Envelope, w: &waiter{more: make(chan struct{}, 1)}}
	var sum [16]byte
	out.key = d.f.digest.sum(d.rest, sum[:])
	return d.f.await(ctx, out, &router.Pub{
		ID: d.Envelope.ID, Origin: d.Envelope.Origin, To: to, Mode: mesh.ModeOne, Class: d.Envelope.Class,
		Request: d.Envelope.Type == mesh.TypeRequest, TTL: ttl, Hops: hops, Expires: d.Envelope.Expires,
		Lane: 2, Key: out.key, Tag: out, Exclude: []peer.ID{d.f.self}, Forwarded: true,
	})
}

// splitRest finds the envelope and the proof behind a hop header.
func splitRest(b []byte) (envelope, proof []byte, err error) {
	if len(b) < 4 {
		return nil, nil, mesh.ErrMalformed
	}
	n := int(binary.BigEndian.Uint32(b))
	if n > len(b)-4 {
		return nil, nil, mesh.ErrMalformed
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

// statusOf is the status that says an error to another node.
func statusOf(err error) mesh.Status {
	for _, st := range []mesh.Status{
		mesh.StatusBadProof, mesh.StatusNeedSignature, mesh.StatusExpired, mesh.StatusClockSkew,
		mesh.StatusTooLarge, mesh.StatusVersion, mesh.StatusWrongNetwork,
	} {
		if errors.Is(err, st.Err()) {
			return st
		}
	}
	return mesh.StatusMalformed
}
