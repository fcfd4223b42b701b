//go:build unix

package sim

import (
	"runtime"
	"syscall"
	"time"
)

// cpuTime is what the process has used so far; 0 when nobody says.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the largest resident set of the process so far, in bytes.
func peakMemory() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // which counts in bytes, others in KiB
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
