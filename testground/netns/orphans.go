package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// owner finds the process in the name of a namespace or of a directory.
var owner = regexp.MustCompile(`^` + prefix + `(\d+)-`)

// Scratch makes a private directory for this process. Who makes it removes it;
// after a killed run the next one does.
func Scratch() (string, error) {
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
}

// orphan reports whether a name is that of a process that is gone.
func orphan(name string) bool {
	m := owner.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	_, err := os.Stat("/proc/" + m[1])
	return errors.Is(err, os.ErrNotExist)
}

// removeOrphans removes what killed runs left: namespaces, with the processes
// in them, and directories.
func removeOrphans() error {
	spaces, err := Spaces()
	if err != nil {
		return err
	}
	var errs []error
	for _, ns := range spaces {
		if orphan(ns) {
			errs = append(errs, removeSpace(ns))
		}
	}
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	errs = append(errs, err)
	for _, d := range dirs {
		if orphan(filepath.Base(d)) {
			errs = append(errs, os.RemoveAll(d))
		}
	}
	return errors.Join(errs...)
}

// Spaces lists the named namespaces of this machine.
func Spaces() ([]string, error) {
	out, err := run("ip", "netns", "list")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 0 {
			names = append(names, f[0])
		}
	}
	return names, nil
}

// removeSpace kills what still runs in a namespace, which would keep it alive
// without a name, and removes it.
func removeSpace(ns string) error {
	out, err := run("ip", "netns", "pids", ns)
	if err != nil {
		return fmt.Errorf("list the processes of %s: %w", ns, err)
	}
	for _, f := range strings.Fields(out) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return fmt.Errorf("process %q of %s: %w", f, ns, err)
		}
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // it may have ended by itself
		}
	}
	if out, err := run("ip", "netns", "del", ns); err != nil {
		return fmt.Errorf("remove %s: %w: %s", ns, err, out)
	}
	return nil
}
