package groups

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

var testNet = mesh.NetworkOf("test", nil)

type member struct {
	h host.Host
	g *Groups
}

func start(t testing.TB) member {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics(), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(h, Config{Network: testNet, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.Close()
		_ = g.Close() // twice does no harm
		_ = h.Close()
	})
	return member{h, g}
}

func join(t testing.TB, a, b member) {
	t.Helper()
	if err := a.h.Connect(t.Context(), peer.AddrInfo{ID: b.h.ID(), Addrs: b.h.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// The first message, sent right after the connection, arrives.
func TestFirstMessageArrives(t *testing.T) {
	for range 10 {
		a, b := start(t), start(t)
		sub, err := b.g.Subscribe("lobby", Block, 16)
		if err != nil {
			t.Fatal(err)
		}
		join(t, a, b)
		if err := a.g.Publish(soon(t), "lobby", []byte("hi"), map[string]string{"k": "v"}, "text/plain"); err != nil {
			t.Fatal(err)
		}
		m, err := sub.Next(soon(t))
		if err != nil || string(m.Envelope.Payload) != "hi" || m.Envelope.Origin != a.h.ID() || m.Envelope.Headers["k"] != "v" {
			t.Fatalf("%+v %v", m, err)
		}
	}
}

func TestNobodyAndTooLarge(t *testing.T) {
	a, b := start(t), start(t)
	join(t, a, b)
	if err := a.g.Publish(soon(t), "empty", nil, nil, ""); !errors.Is(err, mesh.ErrNoProvider) {
		t.Errorf("nobody: %v", err)
	}
	if err := a.g.Publish(soon(t), "lobby", make([]byte, MaxPayload+1), nil, ""); !errors.Is(err, mesh.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if err := a.g.Publish(soon(t), "UPPER", nil, nil, ""); !errors.Is(err, mesh.ErrMalformed) {
		t.Errorf("name: %v", err)
	}
}

// A burst of 10,000 small messages between two nodes loses none, or the loss
// is counted.
func TestBurst(t *testing.T) {
	const n = 10_000
	a, b := start(t), start(t)
	sub, err := b.g.Subscribe("feed", Block, Queue)
	if err != nil {
		t.Fatal(err)
	}
	join(t, a, b)
	begin := time.Now()
	errs := make(chan error, 1)
	go func() {
		for i := range n {
			if err := a.g.Publish(t.Context(), "feed", append(binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, 124)...), nil, ""); err != nil {
				errs <- fmt.Errorf("message %d: %w", i, err)
				return
			}
		}
		errs <- nil
	}()
	seen := make([]bool, n)
	got := 0
	for got < n {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		m, err := sub.Next(ctx)
		cancel()
		if err != nil {
			break // what is missing must have been counted
		}
		i := binary.BigEndian.Uint32(m.Envelope.Payload)
		if seen[i] {
			t.Fatalf("message %d came twice", i)
		}
		seen[i] = true
		got++
	}
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	out, _ := a.g.Dropped()
	_, in := b.g.Dropped()
	t.Logf("%d of %d in %v; dropped on the way out %d, on the way in %d", got, n, time.Since(begin), out, in)
	if got+int(out)+int(in) != n {
		t.Errorf("%d arrived and %d are counted as lost, of %d", got, out+in, n)
	}
	if got < n*99/100 {
		t.Errorf("only %d of %d arrived", got, n)
	}
	if l := b.g.List(); len(l) != 1 || l[0].Got != uint64(got) {
		t.Errorf("list: %+v", l)
	}
}

// Members that are no neighbours hear each other through a node that is in no
// group.
func TestThroughANodeThatIsNotInTheGroup(t *testing.T) {
	a, b, c := start(t), start(t), start(t)
	join(t, a, b)
	join(t, b, c)
	sub, err := c.g.Subscribe("lobby", Block, 16)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.g.Publish(soon(t), "lobby", []byte("far"), nil, ""); err != nil {
		t.Fatal(err)
	}
	if m, err := sub.Next(soon(t)); err != nil || string(m.Envelope.Payload) != "far" {
		t.Fatalf("%+v %v", m, err)
	}
	if l := b.g.List(); len(l) != 0 {
		t.Errorf("the relay is said to be in %+v", l)
	}
}

func TestPolicies(t *testing.T) {
	a, b := start(t), start(t)
	join(t, a, b)
	newest, err := b.g.Subscribe("feed", DropNewest, 2)
	if err != nil {
		t.Fatal(err)
	}
	oldest, err := b.g.Subscribe("feed", DropOldest, 2)
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.g.Subscribe("feed", Block, 16)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := a.g.Publish(soon(t), "feed", []byte{byte('0' + i)}, nil, ""); err != nil {
			t.Fatal(err)
		}
		if m, err := all.Next(soon(t)); err != nil || m.Envelope.Payload[0] != byte('0'+i) {
			t.Fatalf("%v %v", m, err)
		}
	}
	// all is the last to be served, so that the others have had theirs.
	for name, want := range map[*Subscription]string{newest: "01", oldest: "34"} {
		got := ""
		for range 2 {
			m, err := name.Next(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			got += string(m.Envelope.Payload)
		}
		if got != want || name.Dropped() != 3 {
			t.Errorf("got %q and dropped %d, want %q and 3", got, name.Dropped(), want)
		}
	}
	newest.Close()
	if _, err := newest.Next(soon(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
