package groups

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Publish sends to everybody in a group. It waits for room towards the
// neighbours, and with nobody known in the group up to a second for somebody:
// then mesh.ErrNoProvider. Over 64 KiB it is mesh.ErrTooLarge.
func (g *Groups) Publish(ctx context.Context, name string, payload []byte, headers map[string]string, contentType string) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("a message to a group has at most %d bytes, this has %d: send a name or digest of it and let members ask a service for the rest: %w",
			MaxPayload, len(payload), mesh.ErrTooLarge)
	}
	t, err := g.topic(name)
	if err != nil {
		return err
	}
	defer g.release(t)
	now := time.Now().Truncate(time.Millisecond)
	e := &mesh.Envelope{
		ID: mesh.NewID(), Origin: g.host.ID(), Network: g.cfg.Network, Address: mesh.Group(name), Mode: mesh.ModeAll,
		Class: mesh.ClassFire, Type: mesh.TypeData, ContentType: contentType, Headers: headers,
		Created: now, Expires: now.Add(Lifetime), TTL: mesh.MaxTTL, Payload: payload,
	}
	b, err := e.Encode()
	if err != nil {
		return err
	}
	proof, err := mesh.SignEnvelope(g.cfg.Key, b)
	if err != nil {
		return err
	}
	data := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)+len(proof)), uint32(len(b)))
	return t.publish(ctx, append(append(data, b...), proof...))
}

// split finds the envelope and the proof in a group's message: the envelope's
// length (4 bytes, big endian), the envelope, the proof.
func split(b []byte) (envelope, proof []byte, err error) {
	if len(b) < 4 {
		return nil, nil, mesh.ErrMalformed
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) || len(b)-4-int(n) > mesh.MaxProof {
		return nil, nil, mesh.ErrMalformed
	}
	return b[4 : 4+n], b[4+n:], nil
}
