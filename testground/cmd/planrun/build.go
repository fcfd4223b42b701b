//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const (
	planFolder  = "testground/plans/meshnode"
	syncdFolder = "testground/syncd"
	// testgroundVersion is the last release; the SDK of the plan is the one
	// that it pins.
	testgroundVersion = "v0.6.0"
	testgroundModule  = "github.com/testground/testground"
)

// binaries are paths of what runs.
type binaries struct{ plan, syncd, testground string }

// build builds what a run needs, in the user's cache folder. Go's own cache
// makes it quick the second time; Testground, which takes minutes, is built
// once for each version of it and of Go.
func build(ctx context.Context, o *options, say func(string, ...any)) (*binaries, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache folder: set XDG_CACHE_HOME or HOME: %w", err)
	}
	cache = filepath.Join(cache, "meshnode", "testground")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	b := &binaries{
		plan:       filepath.Join(cache, "plan"),
		syncd:      filepath.Join(cache, "syncd"),
		testground: filepath.Join(cache, "testground-"+testgroundVersion+"-"+runtime.Version()),
	}
	begin := time.Now()
	if err := goBuild(ctx, filepath.Join(o.root, planFolder), b.plan); err != nil {
		return nil, err
	}
	if err := goBuild(ctx, filepath.Join(o.root, syncdFolder), b.syncd); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.testground); err != nil && !o.direct {
		say("building Testground %s, once; it takes minutes", testgroundVersion)
		folder, err := moduleFolder(ctx, testgroundModule, testgroundVersion)
		if err != nil {
			return nil, err
		}
		if err := goBuild(ctx, folder, b.testground); err != nil {
			return nil, err
		}
	}
	say("built in %.1f s", time.Since(begin).Seconds())
	return b, nil
}

// goBuild builds the command in a folder. It is written beside its place and
// moved there, so that two runs at once do not meet.
func goBuild(ctx context.Context, folder, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), ".build")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	made := filepath.Join(tmp, filepath.Base(to))
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", made, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", folder, errors.Join(err, context.Cause(ctx)), out)
	}
	return os.Rename(made, to)
}

// moduleFolder downloads a module, and gives where it is.
func moduleFolder(ctx context.Context, module, version string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module+"@"+version).Output()
	var m struct{ Dir, Error string }
	if e := json.Unmarshal(out, &m); e != nil || m.Dir == "" {
		return "", fmt.Errorf("download %s@%s: %s: %w", module, version, m.Error, errors.Join(err, e))
	}
	return m.Dir, nil
}
