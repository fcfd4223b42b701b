package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) groupCmd() *cobra.Command {
	return parent("group", "See the groups this node is in; pub and sub speak to them",
		`  meshnode group ls
  meshnode sub group:lobby`,
		a.groupLsCmd(), a.groupMembersCmd())
}

func (a *app) groupLsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the groups this node is in",
		Example: `  meshnode group ls
  meshnode group ls -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			g, err := client.Groups(c.Context())
			if err != nil {
				return err
			}
			return list(a, g, g.Groups, []string{"GROUP", "MEMBERS", "SENT", "GOT", "DROPPED"}, func(g meshnode.GroupInfo) []string {
				return []string{g.Name, strconv.Itoa(len(g.Members)), strconv.FormatUint(g.Sent, 10), strconv.FormatUint(g.Got, 10), strconv.FormatUint(g.Dropped, 10)}
			})
		},
	}
}

// member is one line of group members.
type member struct {
	ID string `json:"id"`
}

func (a *app) groupMembersCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "members GROUP",
		Short: "List the other members that this node is connected to",
		Example: `  meshnode group members lobby
  meshnode group members lobby -o jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := a.daemon(c.Context())
			if err != nil {
				return err
			}
			g, err := client.Groups(c.Context())
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(args[0], "group:")
			for _, group := range g.Groups {
				if group.Name != name {
					continue
				}
				members := make([]member, 0, len(group.Members))
				for _, m := range group.Members {
					members = append(members, member{m.String()})
				}
				whole := struct {
					api.Head
					Members []member `json:"members"`
				}{head, members}
				return list(a, whole, members, []string{"MEMBER"}, func(m member) []string { return []string{m.ID} })
			}
			return hint(api.Fail(api.ErrNotFound, "this node is not in the group %q", name), "meshnode sub group:"+name)
		},
	}
}
