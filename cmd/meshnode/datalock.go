package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"github.com/meshnode/meshnode/pkg/api"
)

// holder is written into the lock file for whoever finds it locked.
type holder struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
}

// lockDataDir makes this process the only one on the data directory. The lock
// goes with the process, however it ends; an ephemeral node needs none.
func lockDataDir(s settings) (unlock func(), err error) {
	if s.DataDir == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return nil, api.Fail(api.ErrConfig, "data directory: %w", err)
	}
	file := filepath.Join(s.DataDir, "lock")
	l := flock.New(file, flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if err != nil {
		return nil, api.Fail(api.ErrConfig, "lock %s: %w", s.DataDir, err)
	}
	if !got {
		return nil, heldBy(file, s.DataDir)
	}
	b, err := json.Marshal(holder{os.Getpid(), s.Name})
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		_ = l.Unlock()
		return nil, fmt.Errorf("lock %s: %w", s.DataDir, err)
	}
	return sync.OnceFunc(func() { _ = l.Close() }), nil
}

func heldBy(file, dir string) error {
	var h holder
	b, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(b, &h) != nil {
		return api.Fail(api.ErrInUse, "the data directory %s is held by another daemon", dir)
	}
	return hint(api.Fail(api.ErrInUse, "the data directory %s is held by the daemon %q (pid %d)", dir, h.Name, h.PID),
		"meshnode down --context "+h.Name+", or meshnode up --data-dir OTHER")
}
