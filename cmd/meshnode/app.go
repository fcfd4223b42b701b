package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

// app holds what all commands share: the streams and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	tty            bool // stdout is a terminal
	colour         bool // stderr is one
	getenv         func(string) string

	format    string // text, json or jsonl
	quiet     bool
	noColor   bool
	apis      []string
	context   string
	tokenFile string

	started bool // the arguments were understood
}

func newApp() *app {
	return &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		tty: isatty.IsTerminal(os.Stdout.Fd()), colour: isatty.IsTerminal(os.Stderr.Fd()), getenv: os.Getenv,
	}
}

// run gives the exit code; an error has been printed then.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return api.ExitOK
	case !a.started:
		err = hint(api.Fail(api.ErrUsage, "%w", err), cmd.CommandPath()+" --help")
	case ctx.Err() != nil && (cmd.Name() != "up" || errors.Is(err, context.Canceled)):
		err = context.Canceled // up ends well by a signal; its errors are its own
	}
	a.printError(err)
	return api.Lookup(err).Exit
}

// The groups of the help.
const (
	groupRun      = "run"
	groupSee      = "see"
	groupMessage  = "message"
	groupDiagnose = "diagnose"
	groupAdmin    = "admin"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "meshnode",
		Short: "A message bus without a broker",
		Example: `  meshnode up --name ada                 # run a node
  meshnode request greet world           # ask whoever serves "greet"`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			switch a.format {
			case "text", "json", "jsonl":
			default:
				return fmt.Errorf("--output %q: want text, json or jsonl", a.format)
			}
			a.started = true
			return nil
		},
	}
	f := root.PersistentFlags()
	f.StringArrayVar(&a.apis, "api", nil, "`address` of a daemon: a socket's path or 127.0.0.1:PORT; may be repeated")
	f.StringVar(&a.context, "context", "", "`name` of the daemon, as given to up --name")
	f.StringVar(&a.tokenFile, "token-file", "", "`file` with the token of a TCP address")
	f.StringVarP(&a.format, "output", "o", "text", "`format` of what is printed: text, json, jsonl")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print data only, no remarks")
	f.BoolVar(&a.noColor, "no-color", a.getenv("NO_COLOR") != "", "print without colours")
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run a node:"},
		&cobra.Group{ID: groupMessage, Title: "Send and receive:"},
		&cobra.Group{ID: groupSee, Title: "Look at it:"},
		&cobra.Group{ID: groupDiagnose, Title: "Measure and explain:"},
		&cobra.Group{ID: groupAdmin, Title: "Set up:"},
	)
	root.SetHelpCommandGroupID(groupAdmin)
	root.SetCompletionCommandGroupID(groupAdmin)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupRun, a.upCmd(), a.downCmd(), a.drainCmd(), a.waitCmd(), a.demoCmd())
	add(groupMessage, a.pubCmd(), a.subCmd(), a.requestCmd(), a.replyCmd(), a.groupCmd())
	add(groupSee, a.statusCmd(), a.peersCmd(), a.servicesCmd(), a.routesCmd())
	add(groupDiagnose, a.benchCmd(), a.simCmd(), a.logCmd(), a.errorsCmd())
	add(groupAdmin, a.idCmd(), a.configCmd(), a.versionCmd())
	return root
}

// parent makes a command that only holds others: alone it is wrong usage.
func parent(use, short, example string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return hint(api.Fail(api.ErrUsage, "%s needs a second word", c.CommandPath()), c.CommandPath()+" --help")
		},
	}
	c.AddCommand(children...)
	return c
}
