package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

func (a *app) configCmd() *cobra.Command {
	return parent("config", "Check and show the configuration",
		`  meshnode config check meshnode.yaml
  meshnode config show --origin`,
		a.configCheckCmd(), a.configShowCmd(), a.configSchemaCmd())
}

func (a *app) configCheckCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Read the configuration as up would, and say what is wrong",
		Example: `  meshnode config check
  meshnode config check /etc/meshnode/meshnode.yaml`,
		Args: cobra.MaximumNArgs(1),
	}
	settingFlags(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		file := a.chosenConfig(c.Flags())
		if len(args) == 1 {
			file = args[0]
		}
		s, _, err := a.load(file, c.Flags())
		if err != nil {
			return err
		}
		if _, err := networkKey(s.NetworkKeyFile); err != nil {
			return err
		}
		what := file
		if what == "" {
			what = "the defaults (there is no file)"
		}
		return a.object(api.Done{Head: head, Done: "valid"}, func() error {
			a.say("%s can be used", what)
			return nil
		})
	}
	return c
}

// shown is one line of config show.
type shown struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

func (a *app) configShowCmd() *cobra.Command {
	var origin bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Print the values that up would use",
		Example: `  meshnode config show
  meshnode config show --origin --profile server`,
		Args: cobra.NoArgs,
	}
	settingFlags(c.Flags())
	c.Flags().BoolVar(&origin, "origin", false, "print where each value comes from")
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, from, err := a.load(a.chosenConfig(c.Flags()), c.Flags())
		if err != nil {
			return err
		}
		lines := make([]shown, 0, len(fields))
		for _, f := range fields {
			lines = append(lines, shown{f.key, value(f.ptr(&s)), from[f.key]})
		}
		whole := struct {
			api.Head
			Settings []shown `json:"settings"`
		}{head, lines}
		return list(a, whole, lines, []string{"KEY", "VALUE", "FROM"}, func(l shown) []string {
			text := fmt.Sprint(l.Value)
			if v, ok := l.Value.([]string); ok {
				text = strings.Join(v, ",")
			}
			if !origin {
				return []string{l.Key, text}
			}
			return []string{l.Key, text, l.Origin}
		})
	}
	return c
}

func (a *app) configSchemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the file, for editors",
		Example: `  meshnode config schema > meshnode.schema.json
  meshnode config schema -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.format = "json"
			return a.encode(a.stdout, schema())
		},
	}
}
