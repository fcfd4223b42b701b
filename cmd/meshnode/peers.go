package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) peersCmd() *cobra.Command {
	return parent("peers", "List, connect and drop neighbours",
		`  meshnode peers ls
  meshnode peers connect /ip4/192.0.2.1/tcp/7471/p2p/12D3KooW…`,
		a.peersLsCmd(), a.peersShowCmd(), a.peersConnectCmd(), a.peersDisconnectCmd())
}

func (a *app) peersLsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the neighbours",
		Example: `  meshnode peers ls
  meshnode peers ls -o jsonl`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			p, err := client.Peers(c.Context())
			if err != nil {
				return err
			}
			return a.peerTable(p)
		},
	}
}

func (a *app) peersShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show PEER",
		Short: "Show one neighbour, by name, ID or the end or start of its ID",
		Example: `  meshnode peers show bob
  meshnode peers show 12D3KooWAb -o json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completePeers,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			p, err := findPeer(c.Context(), client, args[0])
			if err != nil {
				return err
			}
			v, err := versioned(p)
			if err != nil {
				return err
			}
			return a.object(v, func() error {
				return a.table(nil, [][]string{
					{"peer id", p.ID.String()}, {"name", p.Name}, {"agent", p.Agent}, {"address", p.Address},
					{"transport", p.Transport}, {"state", p.State}, {"rtt", short(p.RTT)},
					{"since", p.Since.Format(time.RFC3339)}, {"queued", fmt.Sprintf("%d bytes", p.Queued)},
					{"in flight", fmt.Sprint(p.InFlight)},
				})
			})
		},
	}
}

func (a *app) peersConnectCmd() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "connect MULTIADDR",
		Short: "Connect to a node and wait until it is a neighbour",
		Example: `  meshnode peers connect /ip4/192.0.2.1/tcp/7471/p2p/12D3KooW…
  meshnode peers connect $(meshnode id show --context ada --address)`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(c.Context(), timeout)
			defer cancel()
			client, err := a.daemon(ctx)
			if err != nil {
				return err
			}
			id, err := client.Connect(ctx, args[0])
			if err != nil {
				return err
			}
			return a.object(api.Connected{Head: head, ID: id}, func() error {
				a.say("connected to %s", id)
				return nil
			})
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 15*time.Second, "how long to try")
	return c
}

func (a *app) peersDisconnectCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "disconnect PEER",
		Short: "Drop a neighbour, until connect",
		Example: `  meshnode peers disconnect bob
  meshnode peers disconnect 12D3KooWAb`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completePeers,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			p, err := findPeer(c.Context(), client, args[0])
			if err != nil {
				return err
			}
			if err := client.Disconnect(c.Context(), p.ID); err != nil {
				return err
			}
			return a.done("disconnected")
		},
	}
}

// findPeer takes a name, an ID, or a part of one that names a single neighbour.
func findPeer(ctx context.Context, client *api.Client, what string) (meshnode.PeerInfo, error) {
	peers, err := client.Peers(ctx)
	if err != nil {
		return meshnode.PeerInfo{}, err
	}
	return matchPeer(peers.Peers, what)
}

func matchPeer(peers []meshnode.PeerInfo, what string) (meshnode.PeerInfo, error) {
	var found []meshnode.PeerInfo
	for _, p := range peers {
		id := p.ID.String()
		if id == what {
			return p, nil
		}
		if p.Name == what || strings.HasPrefix(id, what) || strings.HasSuffix(id, what) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return meshnode.PeerInfo{}, api.Fail(api.ErrNotFound, "no neighbour is called %q", what)
	}
	return meshnode.PeerInfo{}, hint(api.Fail(api.ErrUsage, "%q fits %d neighbours", what, len(found)), "meshnode peers ls")
}
