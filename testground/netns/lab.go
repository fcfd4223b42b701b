package netns

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// prefix opens the name of every namespace; the process and the lab follow.
const prefix = "meshlab"

var (
	made  atomic.Int64
	sweep sync.Once
)

// Lab is a network of namespaces that lives as long as its test. Its verbs end
// the test when they fail, and are called by the test's own goroutine.
type Lab struct {
	// Program is the meshnode binary; Up needs it, and Build makes one.
	Program string

	t        testing.TB
	id       string
	dir      string // sockets and output
	switches string // the namespace of all switches
	spaces   []string
	bridges  int
	ports    int
	running  []*Process
}

// New starts an empty lab.
func New(t testing.TB) *Lab {
	t.Helper()
	Require(t, "ip", "bridge", "ping")
	sweep.Do(func() {
		if err := removeOrphans(); err != nil {
			t.Logf("remove what killed runs left: %v", err)
		}
	})
	// Not t.TempDir: a socket's path may have 107 bytes, and must be private.
	dir, err := Scratch()
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{t: t, id: fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), made.Add(1)), dir: dir}
	t.Cleanup(l.clean)
	l.switches = l.space("switches")
	return l
}

// ID opens the names of this lab's namespaces.
func (l *Lab) ID() string { return l.id }

// space makes a namespace that forwards nothing: a new one may inherit
// forwarding from the machine.
func (l *Lab) space(name string) string {
	l.t.Helper()
	ns := l.id + "-" + name
	l.must("ip", "netns", "add", ns)
	l.spaces = append(l.spaces, ns)
	l.must("ip", "netns", "exec", ns, "sh", "-ec", `
		echo 0 >/proc/sys/net/ipv4/ip_forward
		no6=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $no6 ] || echo 1 >$no6
		ip link set lo up`)
	return ns
}

func (l *Lab) must(program string, args ...string) {
	l.t.Helper()
	if out, err := run(program, args...); err != nil {
		l.t.Fatalf("%v\n%s", err, out)
	}
}

func (l *Lab) clean() {
	for _, p := range l.running {
		p.signal() // all at once: a mesh that loses its nodes one by one is busy
	}
	for _, p := range l.running {
		<-p.done
		if l.t.Failed() {
			l.t.Logf("%s said at the end:\n%s", p, p.tail())
		}
	}
	for _, ns := range l.spaces {
		if err := removeSpace(ns); err != nil {
			l.t.Errorf("%v", err)
		}
	}
	if err := os.RemoveAll(l.dir); err != nil {
		l.t.Errorf("remove the lab's directory: %v", err)
	}
}
