package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// completeTime is how long a shell may be kept waiting.
const completeTime = 200 * time.Millisecond

// completeServices offers the services and groups the daemon knows.
func (a *app) completeServices(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(c, args, func(ctx context.Context) (names []string) {
		client, err := a.daemon(ctx)
		if err != nil {
			return nil
		}
		if s, err := client.Services(ctx); err == nil {
			for _, svc := range s.Services {
				names = append(names, svc.Name)
			}
		}
		if g, err := client.Groups(ctx); err == nil {
			for _, group := range g.Groups {
				names = append(names, "group:"+group.Name)
			}
		}
		return names
	})
}

// completePeers offers the neighbours: by name where they have one.
func (a *app) completePeers(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(c, args, func(ctx context.Context) (names []string) {
		client, err := a.daemon(ctx)
		if err != nil {
			return nil
		}
		p, err := client.Peers(ctx)
		if err != nil {
			return nil
		}
		for _, n := range p.Peers {
			if n.Name != "" {
				names = append(names, n.Name)
				continue
			}
			names = append(names, n.ID.String())
		}
		return names
	})
}

// complete is for the first argument only; without a daemon there is nothing
// to offer.
func (a *app) complete(c *cobra.Command, args []string, names func(context.Context) []string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	parent := c.Context()
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, completeTime)
	defer cancel()
	return names(ctx), cobra.ShellCompDirectiveNoFileComp
}
