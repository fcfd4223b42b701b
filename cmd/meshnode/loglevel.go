package main

import (
	"github.com/spf13/cobra"
)

func (a *app) logCmd() *cobra.Command {
	level := &cobra.Command{
		Use:   "level [PART=]LEVEL...",
		Short: "Change the daemon's log levels while it runs",
		Long: `Change log levels while the daemon runs: debug, info, warn or error, for all
parts or for one. Parts are node, routing, transport, groups, api, and libp2p's
own, such as swarm2 or pubsub.`,
		Example: `  meshnode log level routing=debug
  meshnode log level warn transport=info`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			for _, l := range args {
				if err := client.SetLogLevel(c.Context(), l); err != nil {
					return err
				}
			}
			return a.done("set")
		},
	}
	return parent("log", "Change what the daemon logs",
		`  meshnode log level debug
  meshnode log level routing=debug`, level)
}
