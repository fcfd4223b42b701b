package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"meshnode": func() { os.Exit(Main()) }})
}

// leakless fails when a test leaves a goroutine behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the command line as users do: one process per command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Deadline:            time.Now().Add(2 * time.Minute),
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			// A program built with -race sleeps for a second at its end.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			for name, dir := range map[string]string{
				"XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "etc", "HOME": "home",
			} {
				dir = filepath.Join(e.WorkDir, dir)
				if err := os.Mkdir(dir, 0o700); err != nil {
					return err
				}
				e.Setenv(name, dir)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   cmdExits,
			"capture": cmdCapture,
			"until":   cmdUntil,
		},
	})
}

// cmdExits is "exits CODE COMMAND…": the command must end with that code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ends with code %d, want %d", args[1], got, want)
	}
}

// cmdCapture is "capture VAR": the last standard output becomes a variable.
func cmdCapture(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// cmdUntil is "until PATTERN COMMAND…": the command is run until its standard
// output matches, for ten seconds at most.
func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	for end := time.Now().Add(10 * time.Second); ; {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s did not print %q in time", args[1], args[0])
		}
	}
}
