package hosts

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// bubble runs f in virtual time and tells what it cost in real time.
func bubble(t *testing.T, f func(t *testing.T)) sim.Cost {
	t.Helper()
	before, began := usage(t), time.Now()
	synctest.Test(t, f)
	after := usage(t)
	return sim.Cost{
		Wall: time.Since(began), CPU: after.CPU - before.CPU, PeakMemory: after.PeakMemory,
	}
}

func usage(t *testing.T) sim.Cost {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return sim.Cost{CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), PeakMemory: u.Maxrss << 10}
}
