package main

import (
	"fmt"
	"strings"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) upCmd() *cobra.Command {
	c := &cobra.Command{
		Use:     "up",
		Aliases: []string{"run", "daemon"},
		Short:   "Run a node here, until down or Ctrl-C",
		Long: `Run a node here, in the foreground, until "meshnode down", Ctrl-C or SIGTERM.
It then refuses new work, finishes what is in flight and goes; a second signal
ends it at once. What it prints appears when the node can be used.`,
		Example: `  meshnode up --name ada
  meshnode up --ephemeral --name bob --join /ip4/192.0.2.1/tcp/7471/p2p/12D3KooW…`,
		Args: cobra.NoArgs,
	}
	settingFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, _, err := a.load(a.chosenConfig(c.Flags()), c.Flags())
		if err != nil {
			return err
		}
		return a.runDaemon(c.Context(), s)
	}
	return c
}

// started is what up prints when the node can be used.
type started struct {
	api.Head
	Name    string   `json:"name"`
	ID      string   `json:"id"`
	Network string   `json:"network"`
	Open    bool     `json:"open"`
	Listen  []string `json:"listen"`
	API     []string `json:"api"`
	Join    string   `json:"join"` // the command for other machines
}

func (a *app) banner(s settings, st meshnode.Status, apis []string) error {
	out := started{
		Head: head, Name: s.Name, ID: st.ID.String(), Network: st.Network, Open: st.Open,
		Listen: st.Listen, API: apis, Join: joinCommand(s.Network, st.Listen),
	}
	return a.object(out, func() error {
		network := st.Network
		if st.Open {
			network += "   (open network: whoever reaches it may join)"
		}
		lines := []string{
			s.Name + " is up",
			"  peer id  " + out.ID,
			"  network  " + network,
		}
		for _, l := range out.Listen {
			lines = append(lines, "  listen   "+l)
		}
		for _, l := range apis {
			lines = append(lines, "  api      "+l)
		}
		for _, w := range st.Warnings {
			lines = append(lines, "  warning  "+w)
		}
		lines = append(lines,
			"others join with:", "  "+out.Join,
			"speak to it with:", "  meshnode --context "+s.Name+" status")
		_, err := fmt.Fprintln(a.stdout, escape(strings.Join(lines, "\n")))
		return err
	})
}

// joinCommand is what to type on another machine.
func joinCommand(network string, listen []string) string {
	cmd := "meshnode up"
	if network != defaults().Network {
		cmd += " --network " + network
	}
	return cmd + " --join " + bestAddr(listen)
}

// bestAddr prefers what other machines can reach.
func bestAddr(listen []string) string {
	best := ""
	for _, l := range listen {
		m, err := multiaddr.NewMultiaddr(l)
		switch {
		case err != nil:
			continue
		case !manet.IsIPLoopback(m) && !manet.IsIP6LinkLocal(m):
			return l
		case best == "":
			best = l
		}
	}
	return best
}
