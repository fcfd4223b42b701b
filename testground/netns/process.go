package netns

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience bounds a command that is to end by itself.
const patience = time.Minute

// run runs a program to its end and returns all it said.
func run(program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	return string(out), err
}

// Process runs in a host until it is killed or the lab ends.
type Process struct {
	cmd  *exec.Cmd
	name string
	file string // what it says
	done chan struct{}
}

// start runs a program in the host; its output is shown if the test fails.
func (h *Host) start(program string, args ...string) *Process {
	l := h.lab
	l.t.Helper()
	name := fmt.Sprintf("%s-%d", h.Name, len(l.running))
	p := &Process{name: name, file: l.dir + "/" + name + ".out", done: make(chan struct{})}
	out, err := os.Create(p.file)
	if err != nil {
		l.t.Fatalf("start %s: %v", p, err)
	}
	defer out.Close()
	// ip becomes the program, so that a signal goes to it and not to a parent.
	p.cmd = exec.Command("ip", h.exec(program, args)...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = l.environ()
	if err := p.cmd.Start(); err != nil {
		l.t.Fatalf("start %s: %v", p, err)
	}
	l.running = append(l.running, p)
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // a killed process always has an error
	}()
	return p
}

// Kill is kill -9; it returns when the process is gone.
func (p *Process) Kill() {
	p.signal()
	<-p.done
}

func (p *Process) signal() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
}

// String names the host and the number of the process in its lab.
func (p *Process) String() string { return p.name }

// tail is the last of what the process said.
func (p *Process) tail() string {
	const most = 2 << 10
	b, err := os.ReadFile(p.file)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-most):]))
}
