package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// runDir holds the sockets and contexts of the daemons of this user.
func (a *app) runDir() string {
	if d := a.getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "meshnode")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("meshnode-%d", os.Getuid()))
}

// passingToken is the token file of an ephemeral daemon, which goes with it.
func (a *app) passingToken(name string) string {
	return filepath.Join(a.runDir(), name+".token")
}

// stateDir holds the data directories, by name of the daemon.
func (a *app) stateDir() (string, error) {
	if d := a.getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "meshnode"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the home directory: %w", err)
	}
	return filepath.Join(home, ".local", "state", "meshnode"), nil
}

// configFile is the first that is there, empty for none.
func (a *app) configFile() string {
	var files []string
	if d := a.getenv("XDG_CONFIG_HOME"); d != "" {
		files = append(files, filepath.Join(d, "meshnode", "meshnode.yaml"))
	} else if home, err := os.UserHomeDir(); err == nil {
		files = append(files, filepath.Join(home, ".config", "meshnode", "meshnode.yaml"))
	}
	for _, f := range append(files, "/etc/meshnode/meshnode.yaml") {
		if _, err := os.Stat(f); err == nil {
			return f
		}
	}
	return ""
}

// hostName is this machine's name, as far as a node's name allows.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "node"
	}
	name = strings.Map(func(r rune) rune {
		if mesh.ValidName("name", string(r)) != nil {
			return '-'
		}
		return r
	}, strings.ToLower(name))
	if mesh.ValidName("name", name) != nil {
		return "node"
	}
	return name
}
