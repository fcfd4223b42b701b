//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// composition is the one that is run; it takes what differs from the
// environment.
const composition = "testground/compositions/local-50.toml"

// ready is how long the daemon may take to listen.
const ready = 30 * time.Second

// runDaemon runs the plan by Testground's daemon and command line, and gives
// the folder of the instances' outputs.
func runDaemon(ctx context.Context, o *options, bin *binaries, work string, r *room) (string, error) {
	home := filepath.Join(work, "home")
	outputs := filepath.Join(home, "data", "outputs", "local_exec")
	plans, tmp := filepath.Join(home, "plans"), filepath.Join(work, "tmp")
	for _, folder := range []string{plans, tmp, outputs} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return outputs, err
		}
	}
	if err := os.Symlink(filepath.Join(o.root, planFolder), filepath.Join(plans, "meshnode")); err != nil {
		return outputs, err
	}
	if err := checkPorts(r); err != nil {
		return outputs, err
	}
	sync, _, err := startSync(ctx, bin, r, syncPort, outputs)
	if err != nil {
		return outputs, err
	}
	defer sync.end()

	var lines []string
	for _, p := range o.params {
		name, value, _ := strings.Cut(p, "=")
		lines = append(lines, fmt.Sprintf("%s = %q", name, value))
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + work, "TMPDIR=" + tmp, "TESTGROUND_HOME=" + home,
		// With Docker within reach Testground looks for containers of its own
		// and, not finding them, pulls images; without it goes on.
		"DOCKER_HOST=unix://" + filepath.Join(work, "no-docker"),
		"MESHNODE_PLAN=" + bin.plan, "MESHNODE_CASE=" + o.testcase,
		"MESHNODE_INSTANCES=" + strconv.Itoa(o.instances), "MESHNODE_PARAMS=" + strings.Join(lines, "\n"),
	}
	command := func(log string, args ...string) (*process, error) {
		f, err := os.Create(filepath.Join(outputs, log))
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(bin.testground, args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = work, env, f, f
		return r.start(cmd, f)
	}
	daemon, err := command("daemon.log", "daemon")
	if err != nil {
		return outputs, err
	}
	defer daemon.end()
	if err := listening(ctx, r, daemon, daemonPort); err != nil {
		return outputs, fmt.Errorf("start Testground's daemon: %w%s", err, tail(filepath.Join(outputs, "daemon.log")))
	}
	client, err := command("run.log", "run", "composition", "--file", filepath.Join(o.root, composition), "--wait")
	if err != nil {
		return outputs, err
	}
	if err := client.wait(ctx); err != nil {
		return outputs, fmt.Errorf("testground run: %w%s", err, tail(filepath.Join(outputs, "run.log")))
	}
	return outputs, nil
}

// listening waits until a process listens on a port.
func listening(ctx context.Context, r *room, p *process, port int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ready, fmt.Errorf("nothing listens on port %d after %s", port, ready))
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		var err error
		r.do(func() {
			var c net.Conn
			if c, err = net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second); err == nil {
				err = c.Close()
			}
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.done:
			return errors.Join(errors.New("it has ended"), p.err)
		case <-again.C:
		}
	}
}

const tailLines = 15

// tail gives the last lines of a log, to go behind an error.
func tail(log string) string {
	b, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return "\n" + strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
