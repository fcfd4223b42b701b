package servicerouting

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/pipe"
	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
)

// stranger is a hand-made neighbour that sends what it likes, and collects
// the answers.
type stranger struct {
	*end
	out     *pipe.Pipe
	answers chan mesh.Answer
}

func (s *stranger) Answers(_ *link.Link, batch []mesh.Answer) {
	for _, a := range batch {
		s.answers <- a
	}
}

func newStranger(t *testing.T, f *fabric, n int) *stranger {
	s := &stranger{end: newEnd(t, mesh.NetworkOf("test", nil)), answers: make(chan mesh.Answer, 16)}
	there, back := pipe.New(256<<10), pipe.New(256<<10)
	s.out = there
	s.l = link.New(link.DefaultConfig(), there, back, 4<<20, s)
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.l.Run() })
	wg.Go(func() { _ = f.nodes[n].AddLink(s.id, back, there, 4<<20) })
	t.Cleanup(func() { s.l.Close(mesh.ErrNotSent); wg.Wait() })
	f.until(func() bool { return f.nodes[n].Linked(s.id) }, n)
	return s
}

func (s *stranger) send(t *testing.T, hop mesh.HopHeader, rest []byte) mesh.Status {
	t.Helper()
	hop.Seq = s.nextSeq()
	if _, err := s.l.Send(3, &hop, rest, link.Item{Seq: hop.Seq, Local: true}); err != nil {
		t.Fatal(err)
	}
	s.l.Flush()
	select {
	case a := <-s.answers:
		if a.Seq != hop.Seq {
			t.Fatalf("answer to %d, want %d", a.Seq, hop.Seq)
		}
		return a.Status
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
		return 0
	}
}

// Whatever a neighbour sends, it gets a clear answer, nothing is handled that
// should not be, and the node goes on.
func TestBadFrames(t *testing.T) {
	f := newFabric(t, 2, nil).line()
	var handled atomic.Int32
	f.serve(1, "svc", func(context.Context, *Delivery) (Response, error) { handled.Add(1); return Response{}, nil })
	s, victim := newStranger(t, f, 1), f.nodes[0].ID()

	now := time.Now().Truncate(time.Millisecond)
	good := func() mesh.Envelope {
		return mesh.Envelope{
			ID: mesh.NewID(), Origin: s.id, Network: s.network(), Address: mesh.Service("svc"), Mode: mesh.ModeOne,
			Class: mesh.ClassConfirm, Type: mesh.TypeData, Created: now, Expires: now.Add(time.Minute), TTL: mesh.MaxTTL,
		}
	}
	pack := func(e mesh.Envelope) []byte {
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		proof, err := mesh.SignEnvelope(s.key, b)
		if err != nil {
			t.Fatal(err)
		}
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), proof...)
	}
	bound := mesh.HopHeader{TTL: mesh.MaxTTL, Bound: f.nodes[1].ID()}
	flood := mesh.HopHeader{TTL: mesh.MaxTTL, Flags: mesh.FlagFlood}
	with := func(change func(*mesh.Envelope)) []byte { e := good(); change(&e); return pack(e) }
	forged := func(e *mesh.Envelope) { e.Origin = victim }
	unknownProof := pack(good())
	unknownProof[len(unknownProof)-65] = 9 // the kind of the proof

	for _, c := range []struct {
		name string
		hop  mesh.HopHeader
		rest []byte
		want mesh.Status
	}{
		{"forged origin", bound, with(forged), mesh.StatusBadProof},
		{"forged origin in a flood", flood, with(func(e *mesh.Envelope) { forged(e); e.Mode = mesh.ModeAll }), mesh.StatusBadProof},
		{"a message to one, sent as a flood", flood, pack(good()), mesh.StatusMalformed},
		{"a message of an unknown type", bound, with(func(e *mesh.Envelope) { e.Type = 77 }), mesh.StatusMalformed},
		{"expired", bound, with(func(e *mesh.Envelope) { e.Created, e.Expires = now.Add(-time.Hour), now.Add(-time.Hour+time.Minute) }), mesh.StatusExpired},
		{"from the future", bound, with(func(e *mesh.Envelope) { e.Created, e.Expires = now.Add(5*time.Hour), now.Add(5*time.Hour+time.Minute) }), mesh.StatusClockSkew},
		{"another network", bound, with(func(e *mesh.Envelope) { e.Network = mesh.NetworkOf("blue", nil) }), mesh.StatusWrongNetwork},
		{"unknown service", bound, with(func(e *mesh.Envelope) { e.Address = mesh.Service("other") }), mesh.StatusNoProvider},
		{"TTL 0", mesh.HopHeader{TTL: 0, Bound: bound.Bound}, pack(good()), mesh.StatusMalformed},
		{"TTL 11", mesh.HopHeader{TTL: 11, Bound: bound.Bound}, pack(good()), mesh.StatusMalformed},
		{"more hops than its origin gave it", bound, with(func(e *mesh.Envelope) { e.TTL = 3 }), mesh.StatusMalformed},
		{"bound to nobody", mesh.HopHeader{TTL: mesh.MaxTTL}, pack(good()), mesh.StatusMalformed},
		{"bound to a stranger", mesh.HopHeader{TTL: mesh.MaxTTL, Bound: newEnd(t, s.network()).id}, pack(good()), mesh.StatusNoRoute},
		{"an envelope of junk", bound, append([]byte{0, 0, 0, 4}, "junk and more"...), mesh.StatusMalformed},
		{"an envelope longer than the frame", bound, []byte{0, 0, 255, 255, 1}, mesh.StatusMalformed},
		{"a proof of an unknown kind", bound, unknownProof, mesh.StatusNeedSignature},
		{"a good one, after all that", bound, pack(good()), mesh.StatusOK},
	} {
		if got := s.send(t, c.hop, c.rest); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if handled.Load() != 1 {
		t.Errorf("%d messages were handled, want the good one", handled.Load())
	}

	// Junk on the link ends the link, and nothing else.
	_, _ = s.out.Write([]byte("GET / HTTP/1.1\r\nHost: mesh\r\n\r\n"))
	f.until(func() bool { return !f.nodes[1].Linked(s.id) }, 1)
	if _, err := f.nodes[0].Publish(ctxFor(t, 5*time.Second), Outgoing{To: to("svc")}); err != nil {
		t.Errorf("the node after junk: %v", err)
	}
}

func (s *stranger) network() mesh.Network { return mesh.NetworkOf("test", nil) }
