package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// room is where processes are started: on one thread, which for root is in a
// network namespace of its own. A process inherits the namespace of the thread
// that starts it, and is killed when that thread ends, however it ends.
type room struct {
	processes
	work    chan func()
	private bool
}

func newRoom() (*room, error) {
	r := &room{work: make(chan func())}
	ready := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and no other
		// goroutine gets into the namespace.
		runtime.LockOSThread()
		if os.Geteuid() == 0 && unix.Unshare(unix.CLONE_NEWNET) == nil {
			r.private = true
			if err := raiseLoopback(); err != nil {
				ready <- err
				return
			}
		}
		ready <- nil
		for f := range r.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("set up a network namespace: %w", err)
	}
	return r, nil
}

func raiseLoopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(s) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return os.NewSyscallError("ioctl", unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo))
}

// String tells where it happens.
func (r *room) String() string {
	if r.private {
		return "in a network namespace of their own"
	}
	return "on this machine's network"
}

// do runs f in the room.
func (r *room) do(f func()) {
	done := make(chan struct{})
	r.work <- func() { defer close(done); f() }
	<-done
}

// close ends all processes, and then the room.
func (r *room) close() {
	r.killAll()
	close(r.work)
}

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
