package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

// head opens the JSON objects of commands.
var head = api.Head{APIVersion: api.Version}

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the node at a glance",
		Example: `  meshnode status
  meshnode status --context ada -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			st, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			peers, err := client.Peers(c.Context())
			if err != nil {
				return err
			}
			if a.format != "text" {
				return a.encode(a.stdout, st)
			}
			if err := a.statusText(st); err != nil {
				return err
			}
			return a.peerTable(peers)
		},
	}
}

func (a *app) statusText(st api.Status) error {
	network := st.Network
	if st.Open {
		network += " (open)"
	}
	services := "none"
	if len(st.Services) > 0 {
		services = strings.Join(st.Services, " ")
	}
	rows := [][]string{
		{"state", fmt.Sprintf("%s, %s, up %v", st.State, plural(st.Peers, "peer"), time.Since(st.Started).Round(time.Second))},
		{"name", st.Name},
		{"peer id", st.ID.String()},
		{"network", network},
		{"profile", st.Profile},
		{"version", st.Version},
	}
	for _, l := range st.Listen {
		rows = append(rows, []string{"listen", l})
	}
	rows = append(rows, []string{"services", services},
		[]string{"routes", strconv.Itoa(st.Routes)}, []string{"queued", fmt.Sprintf("%d bytes", st.Queued)})
	names := make([]string, 0, len(st.Counters))
	for name, n := range st.Counters {
		if n > 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		rows = append(rows, []string{name, strconv.FormatUint(st.Counters[name], 10)})
	}
	for _, w := range st.Warnings {
		rows = append(rows, []string{"warning", w})
	}
	return a.table(nil, rows)
}

func (a *app) peerTable(p api.Peers) error {
	return list(a, p, p.Peers, []string{"PEER", "NAME", "VIA", "STATE", "RTT", "QUEUED", "ADDRESS"}, func(p meshnode.PeerInfo) []string {
		return []string{p.ID.String(), p.Name, p.Transport, p.State, short(p.RTT), strconv.Itoa(p.Queued), p.Address}
	})
}
