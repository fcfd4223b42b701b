//go:build unix

// Command planrun runs a case of the Testground plan on this machine, without
// Docker: it builds what is needed, starts a sync service and the instances,
// each a process, prints the figures, and removes everything it made.
//
//	planrun CASE [--instances N] [--direct] [--param NAME=VALUE]…
//
// By default Testground's own daemon and command line run the plan. With
// --direct the instances are started as the daemon would start them, which
// needs no Testground and is what a pipeline uses.
//
// Run by root on Linux, everything happens in a network namespace of its own,
// with nothing in it but a loopback. Otherwise it happens on the machine's
// network, where the sync service, and each instance's profiler, listen on all
// interfaces.
//
// It exits with 0 only when every instance has said that it succeeded; an
// instance that fails, or crashes, exits with 0 as well, so that its exit code
// tells nothing. It does not run on clusters: see compositions.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Who reads the table may leave before its end: an error then, and not our end.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "planrun:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	testcase  string
	instances int
	direct    bool
	params    params
	root      string // of the repository
	out       string // where outputs are kept; empty: nowhere
	timeout   time.Duration
	json      bool
}

// params are NAME=VALUE, in the order given.
type params []string

// String is for flag.Value.
func (p *params) String() string { return strings.Join(*p, " ") }

// Set is for flag.Value.
func (p *params) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.ContainsAny(value, "|=\"\n") {
		return errors.New("need NAME=VALUE, the value without | = and quotes")
	}
	*p = append(*p, s)
	return nil
}

const maxInstances = 2000

// parse reads the command line; the case may stand before or after flags.
func parse(args []string, usage io.Writer) (*options, error) {
	o := new(options)
	fs := flag.NewFlagSet("planrun", flag.ContinueOnError)
	fs.SetOutput(usage)
	fs.IntVar(&o.instances, "instances", 50, "`number` of instances, each a process")
	fs.BoolVar(&o.direct, "direct", false, "without Testground's daemon and command line")
	fs.Var(&o.params, "param", "`NAME=VALUE` of a parameter of the case, see manifest.toml; may be repeated")
	fs.StringVar(&o.root, "root", ".", "`folder` of the repository")
	fs.StringVar(&o.out, "out", "", "new `folder` to keep the outputs of all instances in")
	fs.DurationVar(&o.timeout, "timeout", 15*time.Minute, "most the run may take, builds left out")
	fs.BoolVar(&o.json, "json", false, "print one JSON object in place of a table")
	fs.Usage = func() {
		fmt.Fprintln(usage, "planrun CASE [flags], CASE being discovery, multihop, churn or partition")
		fs.PrintDefaults()
	}
	for rest := args; ; {
		if err := fs.Parse(rest); err != nil {
			return nil, err
		}
		if rest = fs.Args(); len(rest) == 0 {
			break
		}
		if o.testcase != "" {
			return nil, fmt.Errorf("%q and %q: name one case", o.testcase, rest[0])
		}
		o.testcase, rest = rest[0], rest[1:]
	}
	switch {
	case o.testcase == "":
		return nil, errors.New("no case named: try discovery, multihop, churn or partition")
	case o.instances < 2 || o.instances > maxInstances:
		return nil, fmt.Errorf("--instances is %d: need 2 to %d", o.instances, maxInstances)
	}
	var err error
	if o.root, err = filepath.Abs(o.root); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(o.root, planFolder, "manifest.toml")); err != nil {
		return nil, fmt.Errorf("--root: no plan there: %w", err)
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	bin, err := build(ctx, o, say)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "meshnode-plan")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	r, err := newRoom()
	if err != nil {
		return err
	}
	defer r.close()
	say("%d instances of %s, %s", o.instances, o.testcase, r)
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %s; --timeout sets it", o.timeout))
	defer cancel()
	begin := time.Now()
	mode := runDaemon
	if o.direct {
		mode = runDirect
	}
	outputs, failure := mode(ctx, o, bin, work, r)
	res := collect(o, outputs)
	res.Wall, res.CPU = time.Since(begin).Seconds(), r.cpu().Seconds()
	if o.out != "" {
		if err := os.CopyFS(o.out, os.DirFS(outputs)); err != nil {
			failure = errors.Join(failure, fmt.Errorf("keep the outputs: %w", err))
		}
	}
	if err := res.print(stdout, o.json); err != nil {
		return err
	}
	return errors.Join(failure, res.failed())
}
