//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// startSync starts the sync service and gives its port. It ends with us: its
// standard input does.
func startSync(ctx context.Context, bin *binaries, r *room, port int, outputs string) (*process, int, error) {
	if err := os.MkdirAll(outputs, 0o755); err != nil {
		return nil, 0, err
	}
	log, err := os.Create(filepath.Join(outputs, "sync.log"))
	if err != nil {
		return nil, 0, err
	}
	first := &firstLine{rest: log, line: make(chan string, 1)}
	cmd := exec.Command(bin.syncd, strconv.Itoa(port))
	cmd.Stdout, cmd.Stderr = first, log
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, 0, err
	}
	p, err := r.start(cmd, log)
	if err != nil {
		return nil, 0, err
	}
	select {
	case line := <-first.line:
		if port, err = strconv.Atoi(line); err == nil {
			return p, port, nil
		}
	case <-p.done:
		err = p.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.end()
	return nil, 0, fmt.Errorf("start the sync service: %w%s", err, tail(log.Name()))
}

// firstLine takes the first line of what is written, and passes on the rest:
// the sync service says where it listens, and logs by the same way.
type firstLine struct {
	rest io.Writer
	line chan string
	have []byte
	done bool
}

// Write is for io.Writer.
func (f *firstLine) Write(b []byte) (int, error) {
	if f.done {
		return f.rest.Write(b)
	}
	f.have = append(f.have, b...)
	if line, rest, whole := bytes.Cut(f.have, []byte("\n")); whole {
		f.done = true
		f.line <- string(line)
		if _, err := f.rest.Write(rest); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// runDirect starts every instance as Testground's local:exec runner would, and
// waits for all. It gives the folder of their outputs.
func runDirect(ctx context.Context, o *options, bin *binaries, work string, r *room) (string, error) {
	outputs := filepath.Join(work, "outputs")
	sync, port, err := startSync(ctx, bin, r, 0, outputs)
	if err != nil {
		return outputs, err
	}
	defer sync.end()
	base := []string{
		"PATH=" + os.Getenv("PATH"),
		"SYNC_SERVICE_HOST=127.0.0.1", "SYNC_SERVICE_PORT=" + strconv.Itoa(port),
		"TEST_PLAN=meshnode", "TEST_CASE=" + o.testcase, "TEST_RUN=" + filepath.Base(work),
		"TEST_INSTANCE_COUNT=" + strconv.Itoa(o.instances),
		"TEST_GROUP_ID=all", "TEST_GROUP_INSTANCE_COUNT=" + strconv.Itoa(o.instances),
		"TEST_INSTANCE_PARAMS=" + strings.Join(o.params, "|"),
		"TEST_SIDECAR=false", "TEST_DISABLE_METRICS=true", "TEST_SUBNET=127.1.0.0/16",
		"TEST_START_TIME=" + time.Now().Format(time.RFC3339),
	}
	ended := make(chan int, o.instances)
	for i := range o.instances {
		p, err := startInstance(bin, r, base, instanceFolder(outputs, i))
		if err != nil {
			return outputs, fmt.Errorf("instance %d of %d: %w", i+1, o.instances, err)
		}
		go func() {
			<-p.done
			ended <- i
		}()
	}
	return outputs, awaitAll(ctx, o.instances, ended, func(i int) bool { return said(instanceFolder(outputs, i)) })
}

// patience is how long the others may take to end after an instance that has
// ended without a word; they would wait for it until their time is over.
const patience = 10 * time.Second

// awaitAll waits until all instances have ended. How they exit tells nothing,
// the SDK exits with 0 after a failure too: what they say is counted.
func awaitAll(ctx context.Context, n int, ended <-chan int, spoke func(int) bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for left := n; left > 0; left-- {
		select {
		case i := <-ended:
			if !spoke(i) {
				why := fmt.Errorf("instance %d of %d ended without a word: on a machine too busy for its sync service's time limits use fewer; --out keeps what it said", i+1, n)
				defer time.AfterFunc(patience, func() { cancel(why) }).Stop()
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d instances have not ended: %w", left, n, context.Cause(ctx))
		}
	}
	return nil
}

func instanceFolder(outputs string, i int) string { return filepath.Join(outputs, strconv.Itoa(i)) }

// said tells whether an instance has said how it went.
func said(folder string) bool {
	var r result
	err := r.read(filepath.Join(folder, "run.out"))
	return err == nil && (r.Succeeded > 0 || len(r.Errors) > 0)
}

func startInstance(bin *binaries, r *room, env []string, out string) (*process, error) {
	tmp := filepath.Join(out, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return nil, err
	}
	complaints, err := os.Create(filepath.Join(out, "stderr"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin.plan)
	cmd.Env = append(env[:len(env):len(env)], "TEST_OUTPUTS_PATH="+out, "TEST_TEMP_PATH="+tmp)
	cmd.Stderr = complaints // what it prints is in run.out as well
	return r.start(cmd, complaints)
}
