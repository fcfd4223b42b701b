package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (a *app) demoCmd() *cobra.Command {
	var stay bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a mesh at work, in one process",
		Long: `Two LANs joined by one node, in one process: a service three hops away,
requests, a publish to all, a group, and a node that dies while messages find
another way. It needs no root, no network and no daemon, and leaves nothing.`,
		Example: `  meshnode demo
  meshnode demo --stay`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &demo{out: a.stdout, nodes: map[string]*meshnode.Node{}, names: map[peer.ID]string{}}
			defer d.close()
			ctx, cancel := context.WithTimeout(c.Context(), 30*time.Second)
			defer cancel()
			if err := d.run(ctx); err != nil {
				return err
			}
			if !stay {
				return nil
			}
			fmt.Fprintln(d.out, "\nThe mesh stays up; join it from another terminal, and end it with Ctrl-C:")
			fmt.Fprintf(d.out, "  meshnode up --ephemeral --no-mdns --network demo --name you --join %s\n", d.nodes["ada"].Addrs()[0])
			<-c.Context().Done()
			return nil
		},
	}
	c.Flags().BoolVar(&stay, "stay", false, "keep the mesh up until interrupted")
	return c
}

// demo is the mesh that the command shows.
type demo struct {
	out   io.Writer
	nodes map[string]*meshnode.Node
	names map[peer.ID]string
}

const demoMesh = `
      west LAN                     east LAN

   ada -------- cat ------------- dan
    |            |  \              |
    |            |   \             |
   bob ----------+    eve ------- fay   <- serves "inventory"
`

var demoLinks = [][2]string{
	{"ada", "bob"}, {"ada", "cat"}, {"bob", "cat"}, {"cat", "dan"}, {"cat", "eve"}, {"dan", "fay"}, {"eve", "fay"},
}

func (d *demo) run(ctx context.Context) error {
	if err := d.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Six nodes, two LANs, and cat, which is in both:\n%s\n", demoMesh)
	for _, step := range []func(context.Context) error{d.requests, d.toAll, d.group, d.nobody, d.death} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(d.out, "\nThat is the main job: name a service, and the mesh finds who serves it.")
	return nil
}

// build starts the nodes and joins them as drawn; nobody knows more than its
// neighbours.
func (d *demo) build(ctx context.Context) error {
	for _, name := range []string{"ada", "bob", "cat", "dan", "eve", "fay"} {
		n, err := meshnode.New(ctx, meshnode.WithName(name), meshnode.WithNetwork("demo"), meshnode.WithMDNS(false),
			meshnode.WithListen("/ip4/127.0.0.1/tcp/0"))
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		d.nodes[name], d.names[n.ID()] = n, name
	}
	degree := map[string]int{}
	for _, l := range demoLinks {
		if _, err := d.nodes[l[0]].Connect(ctx, d.nodes[l[1]].Addrs()[0]); err != nil {
			return fmt.Errorf("join %s and %s: %w", l[0], l[1], err)
		}
		degree[l[0]]++
		degree[l[1]]++
	}
	for name, n := range d.nodes {
		if err := n.Wait(ctx, meshnode.PeersAtLeast(degree[name])); err != nil {
			return fmt.Errorf("join %s: %w", name, err)
		}
	}
	return nil
}

// serve answers for a service and says who did.
func (d *demo) serve(name, service string) error {
	_, err := d.nodes[name].Handle(service, func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Text(fmt.Sprintf("%s has %s", name, m.Payload)), nil
	})
	return err
}

func (d *demo) requests(ctx context.Context) error {
	fmt.Fprintln(d.out, `1. ada asks "inventory", which is three hops away. The first request looks for it, the second knows the way.`)
	if err := d.serve("fay", "inventory"); err != nil {
		return err
	}
	for _, item := range []string{"12 lamps", "40 chairs"} {
		if err := d.request(ctx, "ada", "inventory", item); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) request(ctx context.Context, from, service, item string) error {
	n := d.nodes[from]
	start, probes := time.Now(), n.Status().Counters["probes"]
	r, err := n.Request(ctx, service, []byte(item))
	if err != nil {
		return err
	}
	how := "knew the way"
	if p := n.Status().Counters["probes"] - probes; p > 0 {
		how = fmt.Sprintf("%d probes", p)
	}
	fmt.Fprintf(d.out, "   %-22s  %q  %d hops, %v, %s\n", d.path(from, r.From), r.Payload, r.Hops, time.Since(start).Round(10*time.Microsecond), how)
	return nil
}

// path follows the routes that the answer proved, node by node.
func (d *demo) path(from string, to peer.ID) string {
	out := from
	for at := from; d.nodes[at] != nil && d.nodes[at].ID() != to; {
		next := peer.ID("")
		for _, r := range d.nodes[at].Routes() {
			if r.To == to && r.Proven {
				next = r.Via
				break
			}
		}
		if next == "" || strings.Count(out, ">") > mesh.MaxTTL {
			return out + " > ?"
		}
		at = d.names[next]
		out += " > " + at
	}
	return out
}

func (d *demo) toAll(ctx context.Context) error {
	fmt.Fprintln(d.out, "\n2. bob publishes to all who serve \"news\": each gets it once.")
	for _, name := range []string{"ada", "dan", "eve"} {
		if err := d.serve(name, "news"); err != nil {
			return err
		}
	}
	receipts, err := d.nodes["bob"].PublishAll(ctx, "news", []byte("rain"))
	if err != nil {
		return err
	}
	for _, r := range receipts {
		fmt.Fprintf(d.out, "   %-22s  %s, %d hops, %v\n", d.path("bob", r.Provider), r.Status, r.Hops, r.RTT.Round(10*time.Microsecond))
	}
	if len(receipts) != 3 {
		return fmt.Errorf("%d receipts, want 3", len(receipts))
	}
	return nil
}

func (d *demo) group(ctx context.Context) error {
	fmt.Fprintln(d.out, "\n3. cat speaks to the group \"lobby\", in which everybody is.")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	heard := make(chan string, len(d.nodes))
	for name, n := range d.nodes {
		if name == "cat" {
			continue
		}
		msgs, err := n.Subscribe(ctx, "group:lobby")
		if err != nil {
			return err
		}
		wg.Go(func() {
			for m, err := range msgs {
				if err == nil {
					heard <- fmt.Sprintf("%s heard %q from %s", name, m.Payload, d.names[m.From])
				}
				return
			}
		})
	}
	if err := d.nodes["cat"].Wait(ctx, meshnode.MembersAtLeast("lobby", 4)); err != nil {
		return err
	}
	start := time.Now()
	if err := d.nodes["cat"].Broadcast(ctx, "lobby", []byte("good morning")); err != nil {
		return err
	}
	for range len(d.nodes) - 1 {
		select {
		case s := <-heard:
			fmt.Fprintf(d.out, "   %s after %v\n", s, time.Since(start).Round(10*time.Microsecond))
		case <-ctx.Done():
			return fmt.Errorf("group: %w", ctx.Err())
		}
	}
	return nil
}

func (d *demo) nobody(ctx context.Context) error {
	fmt.Fprintln(d.out, "\n4. ada asks for what nobody serves: that is an answer, not a timeout.")
	start := time.Now()
	_, err := d.nodes["ada"].Request(ctx, "unicorns", nil)
	if !errors.Is(err, meshnode.ErrNoProvider) {
		return fmt.Errorf("want no provider, got %w", err)
	}
	fmt.Fprintf(d.out, "   %v, after %v\n", err, time.Since(start).Round(10*time.Microsecond))
	return nil
}

func (d *demo) death(ctx context.Context) error {
	victim := strings.Split(d.path("ada", d.nodes["fay"].ID()), " > ")[2]
	fmt.Fprintf(d.out, "\n5. %s, on the way to the inventory, dies. The next requests find their way.\n", victim)
	if err := d.nodes[victim].Close(); err != nil {
		return err
	}
	for _, item := range []string{"3 tables", "7 stools"} {
		if err := d.request(ctx, "ada", "inventory", item); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) close() {
	for _, n := range d.nodes {
		_ = n.Close()
	}
}
