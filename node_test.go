package meshnode_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// go-libp2p's address manager and QUIC reuse keep these a moment after Close.
		goleak.IgnoreAnyFunction("github.com/quic-go/quic-go.(*Transport).runSendQueue"),
	)
}

// start runs a node on loopback, joined to others.
func start(t testing.TB, opts ...meshnode.Option) *meshnode.Node {
	t.Helper()
	opts = append([]meshnode.Option{meshnode.WithListen("/ip4/127.0.0.1/tcp/0"), meshnode.WithMDNS(false)}, opts...)
	n, err := meshnode.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// line starts n nodes, each joined to the one before.
func line(t testing.TB, count int) []*meshnode.Node {
	t.Helper()
	var nodes []*meshnode.Node
	for i := range count {
		n := start(t)
		if i > 0 {
			if _, err := n.Connect(soon(t), nodes[i-1].Addrs()[0]); err != nil {
				t.Fatal(err)
			}
		}
		nodes = append(nodes, n)
	}
	for i, n := range nodes {
		want := 2
		if i == 0 || i == count-1 {
			want = 1
		}
		if err := n.Wait(soon(t), meshnode.PeersAtLeast(want)); err != nil {
			t.Fatal(err)
		}
	}
	return nodes
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func greet(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
	return meshnode.Text("hello " + string(m.Payload)), nil
}

func TestRequestAcrossALine(t *testing.T) {
	nodes := line(t, 4)
	if _, err := nodes[3].Handle("greet", greet); err != nil {
		t.Fatal(err)
	}
	r, err := nodes[0].Request(soon(t), "greet", []byte("ada"))
	if err != nil || string(r.Payload) != "hello ada" || r.Hops != 3 || r.From != nodes[3].ID() {
		t.Fatalf("%+v %v", r, err)
	}
	rc, err := nodes[0].Publish(soon(t), "greet", nil)
	if err != nil || rc.Status != mesh.StatusOK || rc.Provider != nodes[3].ID() {
		t.Fatalf("%+v %v", rc, err)
	}
	all, err := nodes[1].PublishAll(soon(t), "greet", nil)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v %v", all, err)
	}
	for r, err := range nodes[0].RequestAll(soon(t), "greet", []byte("all")) {
		if err != nil || string(r.Payload) != "hello all" {
			t.Errorf("%+v %v", r, err)
		}
	}
	_, err = nodes[0].Request(soon(t), "nobody", nil)
	var se *meshnode.SendError
	if !errors.Is(err, meshnode.ErrNoProvider) || !errors.As(err, &se) || se.To != "nobody" {
		t.Errorf("%v", err)
	}
	if got := nodes[0].Peers(); len(got) != 1 || got[0].ID != nodes[1].ID() || got[0].Transport != "tcp" {
		t.Errorf("peers: %+v", got)
	}
}

func TestToANode(t *testing.T) {
	nodes := line(t, 3)
	got := make(chan string, 1)
	if _, err := nodes[2].Handle(meshnode.NodeAddress, func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		got <- string(m.Payload)
		return meshnode.Text("yes"), nil
	}); err != nil {
		t.Fatal(err)
	}
	to := mesh.Node(nodes[2].ID()).String()
	r, err := nodes[0].Request(soon(t), to, []byte("you?"))
	if err != nil || string(r.Payload) != "yes" || <-got != "you?" {
		t.Errorf("%+v %v", r, err)
	}
	_, err = nodes[0].Request(soon(t), mesh.Node(nodes[1].ID()).String(), nil)
	if !errors.Is(err, meshnode.ErrNoProvider) {
		t.Errorf("no handler there: %v", err)
	}
}

func TestSubscribeService(t *testing.T) {
	nodes := line(t, 2)
	msgs, err := nodes[1].Subscribe(soon(t), "orders")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := nodes[0].Publish(soon(t), "orders", []byte{byte('0' + i)}); err != nil {
			t.Fatal(err)
		}
	}
	got := ""
	for m, err := range msgs {
		if err != nil {
			t.Fatal(err)
		}
		if got += string(m.Payload); len(got) == 3 {
			break
		}
	}
	if got != "012" {
		t.Errorf("got %q", got)
	}
}

func TestBadInput(t *testing.T) {
	n := start(t)
	for name, err := range map[string]error{
		"address":  second(n.Request(soon(t), "UPPER", nil)),
		"selector": second(n.Request(soon(t), "svc{a=}", nil)),
		"ttl 0":    second(n.Request(soon(t), "svc", nil, meshnode.WithTTL(0))),
		"ttl 11":   second(n.Request(soon(t), "svc", nil, meshnode.WithTTL(11))),
		"ttl 2^31": second(n.Request(soon(t), "svc", nil, meshnode.WithTTL(1<<31))),
		"service":  second(n.Handle("_node", greet)),
	} {
		if !errors.Is(err, meshnode.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := n.Publish(soon(t), "svc", make([]byte, mesh.MaxPayload+1)); !errors.Is(err, meshnode.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := meshnode.New(t.Context(), meshnode.WithProfile("huge")); err == nil {
		t.Error("a profile that is none")
	}
}

func second[T any](_ T, err error) error { return err }

func TestShutdownTwice(t *testing.T) {
	nodes := line(t, 2)
	if err := nodes[0].Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := nodes[0].Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	if err := nodes[0].Close(); err != nil {
		t.Fatal(err)
	}
}

// What a node has answered is not lost when it shuts down at once.
func TestShutdownLosesNoAnswer(t *testing.T) {
	for range 5 {
		nodes := line(t, 2)
		began := make(chan struct{})
		if _, err := nodes[1].Handle("last", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
			close(began)
			return meshnode.Reply{Payload: make([]byte, 900<<10)}, nil
		}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			r, err := nodes[0].Request(soon(t), "last", nil)
			if err == nil && len(r.Payload) != 900<<10 {
				err = errors.New("a short reply")
			}
			done <- err
		}()
		<-began
		if err := nodes[1].Shutdown(soon(t)); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("the last request: %v", err)
		}
	}
}

func TestOtherNetworksAndClosedNodes(t *testing.T) {
	n := start(t)
	if _, err := n.Handle("svc", greet); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Request(soon(t), "svc@default", nil); err != nil {
		t.Errorf("our own network by name: %v", err)
	}
	if _, err := n.Request(soon(t), "svc@blue", nil); !errors.Is(err, meshnode.ErrNoProvider) {
		t.Errorf("another network: %v", err)
	}
	if _, err := n.Request(soon(t), "svc", nil, meshnode.WithClass(mesh.ClassFire)); !errors.Is(err, meshnode.ErrMalformed) {
		t.Errorf("a request that nobody waits for: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Request(soon(t), "svc", nil); !errors.Is(err, meshnode.ErrClosed) {
		t.Errorf("a closed node: %v", err)
	}
}
