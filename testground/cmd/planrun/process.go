//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// processes are those that were started, each with whatever it starts itself:
// a group of its own.
type processes struct {
	mu  sync.Mutex
	all []*process
}

// process is one that was started, and is waited for by a goroutine that ends
// with it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how, after done
}

// start starts a command in the room. The log it writes to is closed when it
// has ended.
func (r *room) start(cmd *exec.Cmd, log *os.File) (*process, error) {
	cmd.SysProcAttr = attributes()
	// A grandchild that keeps a pipe open must not keep us waiting.
	cmd.WaitDelay = time.Second
	var err error
	r.do(func() { err = cmd.Start() })
	if err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		_ = log.Close()
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, p)
	return p, nil
}

// wait returns when the process has ended, or with the cause of ctx's end.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// goodbye is how long a process may take to end when asked.
const goodbye = 5 * time.Second

// end asks the process to end, and then its group is killed.
func (p *process) end() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	last := time.NewTimer(goodbye)
	defer last.Stop()
	select {
	case <-p.done:
	case <-last.C:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// killAll kills every group and waits for each process.
func (ps *processes) killAll() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.all {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	for _, p := range ps.all {
		<-p.done
	}
}

// cpu is what all processes that have ended took, those included that they
// started and waited for.
func (ps *processes) cpu() time.Duration {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var sum time.Duration
	for _, p := range ps.all {
		select {
		case <-p.done:
			if s := p.cmd.ProcessState; s != nil {
				sum += s.UserTime() + s.SystemTime()
			}
		default:
		}
	}
	return sum
}
