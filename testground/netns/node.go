package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Port is where the nodes of a lab listen.
const Port = 4001

// Node is a meshnode daemon in a host. Its methods may be called by several
// goroutines at once.
type Node struct {
	*Host
	*Process

	api string
}

// Status is what the tests read of "meshnode status".
type Status struct {
	ID       string            `json:"id"`
	Counters map[string]uint64 `json:"counters"`
}

// Peer is what the tests read of a line of "meshnode peers ls".
type Peer struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Reply is what the tests read of "meshnode request".
type Reply struct {
	From string `json:"from"`
	Hops int    `json:"hops"`
	Text string `json:"text"`
}

// Build builds the meshnode binary into a directory and returns its path.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "meshnode")
	out, err := run("go", "build", "-o", path, "github.com/meshnode/meshnode/cmd/meshnode")
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
}

// Up starts an ephemeral daemon that bears the host's name and listens on TCP
// and QUIC. It does not wait until the daemon answers: Await does.
func (h *Host) Up(args ...string) *Node {
	h.lab.t.Helper()
	n := &Node{Host: h, api: filepath.Join(h.lab.dir, h.Name+".sock")}
	n.Process = h.start(h.lab.Program, slices.Concat([]string{
		"up", "--ephemeral", "--name", h.Name, "--api", n.api,
		"--listen", fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", Port),
		"--listen", fmt.Sprintf("/ip4/0.0.0.0/udp/%d/quic-v1", Port),
	}, args)...)
	return n
}

// Serve answers the requests to a service with themselves, from the host of
// the node.
func (n *Node) Serve(service string) *Process {
	n.lab.t.Helper()
	return n.start(n.lab.Program, "reply", service, "--echo", "--api", n.api)
}

// Await waits until the daemon answers and the condition holds: ready, peers=N
// or service=NAME.
func (n *Node) Await(condition string, within time.Duration) error {
	_, err := n.Call("wait", "--for", condition, "--timeout", within.String())
	return err
}

// Ready waits until the node can be used.
func (n *Node) Ready() error { return n.Await("ready", 30*time.Second) }

// Call runs a client command against the node and returns what it printed; an
// error holds what it complained of.
func (n *Node) Call(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.lab.Program, append(args, "--api", n.api)...)
	cmd.Env = n.lab.environ()
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), fmt.Errorf("%s: meshnode %s: %w", n.Name, strings.Join(args, " "), err)
}

// ask runs a client command for its JSON.
func (n *Node) ask(into any, args ...string) error {
	out, err := n.Call(append(args, "-o", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("%s: meshnode %s: %w in %s", n.Name, strings.Join(args, " "), err, out)
	}
	return nil
}

// Status gives the node at a glance.
func (n *Node) Status() (s Status, err error) { return s, n.ask(&s, "status") }

// Peers lists the neighbours.
func (n *Node) Peers() ([]Peer, error) {
	var list struct{ Peers []Peer }
	err := n.ask(&list, "peers", "ls")
	return list.Peers, err
}

// Request asks a service and gives its answer, and how long the whole command
// took, its start included.
func (n *Node) Request(service, body string, flags ...string) (Reply, time.Duration, error) {
	var r Reply
	start := time.Now()
	err := n.ask(&r, append([]string{"request", service, body}, flags...)...)
	return r, time.Since(start), err
}

// environ keeps the daemons of a lab out of this user's contexts.
func (l *Lab) environ() []string { return append(os.Environ(), "XDG_RUNTIME_DIR="+l.dir) }
