package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/transport"
)

func (a *app) idCmd() *cobra.Command {
	return parent("id", "Show or make the node's identity",
		`  meshnode id show
  meshnode id new --data-dir ./node1`,
		a.idShowCmd(), a.idNewCmd())
}

type identity struct {
	api.Head
	ID   string `json:"id"`
	File string `json:"file,omitempty"`
	Addr string `json:"address,omitempty"`
}

func (a *app) idShowCmd() *cobra.Command {
	var address bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Print the peer ID of the data directory, or of the running daemon",
		Long: `Print the peer ID: of the data directory when one is given with --data-dir,
otherwise of the running daemon.`,
		Example: `  meshnode id show --data-dir ./node1
  meshnode up --join $(meshnode id show --context ada --address)`,
		Args: cobra.NoArgs,
	}
	c.Flags().String("data-dir", "", "`directory` of the identity")
	c.Flags().BoolVar(&address, "address", false, "print a multiaddr that others can join")
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := c.Flags().GetString("data-dir")
		if err != nil {
			return err
		}
		if dir != "" && !address {
			return a.showFile(meshnode.IdentityFile(dir))
		}
		client, err := a.daemon(c.Context())
		if err != nil {
			return err
		}
		st, err := client.Status(c.Context())
		if err != nil {
			return err
		}
		out := identity{Head: head, ID: st.ID.String(), Addr: bestAddr(st.Listen)}
		return a.object(out, func() error {
			text := out.ID
			if address {
				text = out.Addr
			}
			_, err := fmt.Fprintln(a.stdout, escape(text))
			return err
		})
	}
	return c
}

func (a *app) showFile(file string) error {
	if _, err := api.PrivateFile(file); errors.Is(err, fs.ErrNotExist) {
		return hint(api.Fail(api.ErrNotFound, "%s: there is no identity", file), "meshnode id new")
	} else if errors.Is(err, api.ErrUnsafe) {
		return hint(fmt.Errorf("identity: %w", err), "chmod 600 "+file)
	} else if err != nil {
		return err
	}
	key, err := transport.LoadIdentity(file)
	if err != nil {
		return api.Fail(api.ErrConfig, "%w", err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return fmt.Errorf("identity %s: %w", file, err)
	}
	return a.object(identity{Head: head, ID: id.String(), File: file}, func() error {
		_, err := fmt.Fprintln(a.stdout, id)
		return err
	})
}

func (a *app) idNewCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "new",
		Short: "Make an identity in the data directory; never replaces one",
		Example: `  meshnode id new --data-dir ./node1
  meshnode id new --name ada`,
		Args: cobra.NoArgs,
	}
	settingFlags(c.Flags())
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, _, err := a.load(a.chosenConfig(c.Flags()), c.Flags())
		if err != nil {
			return err
		}
		if s.DataDir == "" {
			return api.Fail(api.ErrUsage, "an ephemeral node keeps no identity")
		}
		if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
			return api.Fail(api.ErrConfig, "data directory: %w", err)
		}
		file := meshnode.IdentityFile(s.DataDir)
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return hint(api.Fail(api.ErrInUse, "%s is there already and is not replaced", file),
				"meshnode id show --data-dir "+s.DataDir)
		}
		if _, err := transport.LoadIdentity(file); err != nil {
			return fmt.Errorf("make an identity: %w", err)
		}
		return a.showFile(file)
	}
	return c
}
