package meshnode_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/typed"
)

// two gives a pair of nodes for the examples, and a function to end them.
func two() (ctx context.Context, a, b *meshnode.Node, end func()) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	var nodes [2]*meshnode.Node
	for i := range nodes {
		n, err := meshnode.New(ctx, meshnode.WithMDNS(false), meshnode.WithListen("/ip4/127.0.0.1/tcp/0"))
		if err != nil {
			log.Fatal(err)
		}
		nodes[i] = n
	}
	a, b = nodes[0], nodes[1]
	if _, err := a.Connect(ctx, b.Addrs()[0]); err != nil {
		log.Fatal(err)
	}
	if err := b.Wait(ctx, meshnode.PeersAtLeast(1)); err != nil {
		log.Fatal(err)
	}
	return ctx, a, b, func() {
		_ = a.Close()
		_ = b.Close()
		cancel()
	}
}

func ExampleNew() {
	ctx := context.Background()
	n, err := meshnode.New(ctx, meshnode.WithName("ada"), meshnode.WithMDNS(false), meshnode.WithListen("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	fmt.Println(n.Status().Name, n.Status().State)
	// Output: ada ready
}

func ExampleNode_Handle() {
	ctx, a, b, end := two()
	defer end()
	_, err := b.Handle("greet", func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Text("hello " + string(m.Payload)), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	r, err := a.Request(ctx, "greet", []byte("world"))
	fmt.Println(string(r.Payload), r.Hops, err)
	// Output: hello world 1 <nil>
}

func ExampleNode_Publish() {
	ctx, a, b, end := two()
	defer end()
	_, err := b.Handle("orders", func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		fmt.Printf("got %s\n", m.Payload)
		return meshnode.Reply{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := a.Publish(ctx, "orders", []byte("12 lamps"))
	fmt.Println(receipt.Status, receipt.Provider == b.ID(), err)
	_, err = a.Publish(ctx, "returns", nil)
	fmt.Println(errors.Is(err, meshnode.ErrNoProvider))
	// Output:
	// got 12 lamps
	// ok true <nil>
	// true
}

func ExampleNode_PublishAll() {
	ctx, a, b, end := two()
	defer end()
	for _, n := range []*meshnode.Node{a, b} {
		_, err := n.Handle("news", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
			return meshnode.Reply{}, nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	receipts, err := a.PublishAll(ctx, "news", []byte("rain"))
	fmt.Println(len(receipts), err)
	// Output: 2 <nil>
}

func ExampleNode_RequestAll() {
	ctx, a, b, end := two()
	defer end()
	for _, n := range []*meshnode.Node{a, b} {
		_, err := n.Handle("vote", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
			return meshnode.Text("yes"), nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	for r, err := range a.RequestAll(ctx, "vote", []byte("lunch?")) {
		fmt.Println(string(r.Payload), err)
	}
	// Output:
	// yes <nil>
	// yes <nil>
}

func ExampleNode_Broadcast() {
	ctx, a, b, end := two()
	defer end()
	msgs, err := b.Subscribe(ctx, "group:lobby")
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Broadcast(ctx, "lobby", []byte("good morning")); err != nil {
		log.Fatal(err)
	}
	for m, err := range msgs {
		fmt.Println(string(m.Payload), m.From == a.ID(), err)
		break
	}
	// Output: good morning true <nil>
}

func ExampleNode_Subscribe() {
	ctx, a, b, end := two()
	defer end()
	msgs, err := b.Subscribe(ctx, "orders", meshnode.WithPolicy(meshnode.DropOldest), meshnode.WithBuffer(100))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := a.Publish(ctx, "orders", []byte("12 lamps")); err != nil {
		log.Fatal(err)
	}
	for m, err := range msgs {
		fmt.Println(string(m.Payload), err)
		break
	}
	// Output: 12 lamps <nil>
}

func ExampleNode_Wait() {
	ctx, a, b, end := two()
	defer end()
	_, err := b.Handle("orders", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Reply{}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Wait(ctx, meshnode.PeersAtLeast(1), meshnode.ServiceKnown("orders")))
	// Output: <nil>
}

func ExampleNode_Shutdown() {
	ctx, a, _, end := two()
	defer end()
	fmt.Println(a.Shutdown(ctx), a.Shutdown(ctx))
	// Output: <nil> <nil>
}

func ExampleNode_Services() {
	ctx, a, b, end := two()
	defer end()
	_, err := b.Handle("ocr", func(context.Context, *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Reply{}, nil
	}, meshnode.WithAttributes(mesh.Attributes{"lang": "de"}))
	if err != nil {
		log.Fatal(err)
	}
	_, err = a.Publish(ctx, "ocr{lang=de}", nil)
	fmt.Println(err)
	for _, s := range a.Services() {
		fmt.Println(s.Name, s.Providers[0].Peer == b.ID(), s.Providers[0].Attributes["lang"])
	}
	fmt.Println(len(a.Peers()), len(a.Routes()))
	// Output:
	// <nil>
	// ocr true de
	// 1 1
}

func Example_typed() {
	ctx, a, b, end := two()
	defer end()
	type place struct{ City string }
	_, err := typed.Handle(b, "geo.lookup", func(_ context.Context, ip string) (place, error) {
		return place{"Gent"}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	p, err := typed.Request[place](ctx, a, "geo.lookup", "203.0.113.9")
	fmt.Println(p.City, err)
	// Output: Gent <nil>
}
