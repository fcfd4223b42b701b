package groups

import (
	"encoding/binary"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Rejected is what no honest node of any version passes on; what a clock, a
// version or a network may explain is ignored.
func TestValidate(t *testing.T) {
	a, b := start(t), start(t)
	lobby, err := b.g.topic("lobby")
	if err != nil {
		t.Fatal(err)
	}
	// message gives the bytes of a message of a's, after a change of its
	// envelope, and one of what was encoded and of its proof.
	message := func(change func(*mesh.Envelope), tamper func(envelope, proof []byte)) []byte {
		now := time.Now().Truncate(time.Millisecond)
		e := &mesh.Envelope{
			ID: mesh.NewID(), Origin: a.h.ID(), Network: testNet, Address: mesh.Group("lobby"), Mode: mesh.ModeAll,
			Class: mesh.ClassFire, Type: mesh.TypeData, Created: now, Expires: now.Add(Lifetime), TTL: mesh.MaxTTL,
		}
		change(e)
		envelope, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		proof, err := mesh.SignEnvelope(a.g.cfg.Key, envelope)
		if err != nil {
			t.Fatal(err)
		}
		tamper(envelope, proof)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(envelope))), envelope...), proof...)
	}
	same, untouched := func(*mesh.Envelope) {}, func(_, _ []byte) {}
	shift := func(d time.Duration) func(*mesh.Envelope) {
		return func(e *mesh.Envelope) { e.Created, e.Expires = e.Created.Add(d), e.Expires.Add(d) }
	}
	for _, tt := range []struct {
		name string
		data []byte
		want pubsub.ValidationResult
	}{
		{"a good one", message(same, untouched), pubsub.ValidationAccept},
		{"nothing", nil, pubsub.ValidationReject},
		{"a length beyond the end", []byte{255, 255, 255, 255, 0}, pubsub.ValidationReject},
		{"a changed envelope", message(same, func(e, _ []byte) { e[len(e)-1] ^= 1 }), pubsub.ValidationReject},
		{"a changed signature", message(same, func(_, p []byte) { p[len(p)-1] ^= 1 }), pubsub.ValidationReject},
		{"a proof of a later kind", message(same, func(_, p []byte) { p[0] = 9 }), pubsub.ValidationIgnore},
		{"an envelope of a later version", message(same, func(e, _ []byte) { e[1] = 2 }), pubsub.ValidationIgnore},
		{"one for another group", message(func(e *mesh.Envelope) { e.Address = mesh.Group("bar") }, untouched), pubsub.ValidationReject},
		{"one for a service", message(func(e *mesh.Envelope) { e.Address = mesh.Service("lobby") }, untouched), pubsub.ValidationReject},
		{"a payload that is too large", message(func(e *mesh.Envelope) { e.Payload = make([]byte, MaxPayload+1) }, untouched), pubsub.ValidationReject},
		{"one of another network", message(func(e *mesh.Envelope) { e.Network = mesh.NetworkOf("other", nil) }, untouched), pubsub.ValidationIgnore},
		{"an expired one", message(shift(-Lifetime-mesh.ClockTolerance-time.Second), untouched), pubsub.ValidationIgnore},
		{"one from the future", message(shift(mesh.ClockTolerance+Lifetime), untouched), pubsub.ValidationIgnore},
		{"one that lives too long", message(func(e *mesh.Envelope) { e.Expires = e.Expires.Add(time.Second) }, untouched), pubsub.ValidationIgnore},
	} {
		m := &pubsub.Message{Message: &pb.Message{Data: tt.data}, ReceivedFrom: a.h.ID()}
		if got := lobby.validate(t.Context(), a.h.ID(), m); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
