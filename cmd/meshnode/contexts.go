package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshnode/meshnode/pkg/api"
)

// daemonContext is how client commands find a daemon by its name.
type daemonContext struct {
	api.Head
	Name      string   `json:"name"`
	API       []string `json:"api"`
	TokenFile string   `json:"tokenFile,omitempty"`
	PID       int      `json:"pid"`
	ID        string   `json:"id"`
	Network   string   `json:"network"`
}

func (a *app) contextFile(name string) string {
	return filepath.Join(a.runDir(), name+".json")
}

// register makes the daemon known; the file is whole or not there.
func (a *app) register(c daemonContext) error {
	if err := api.PrivateDir(a.runDir()); err != nil {
		return fmt.Errorf("register the daemon: %w", err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	file := a.contextFile(c.Name)
	tmp := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("register the daemon: %w", err)
	}
	return os.Rename(tmp, file)
}

func (a *app) unregister(name string) error {
	if err := os.Remove(a.contextFile(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func readContext(file string) (c daemonContext, err error) {
	b, err := api.PrivateFile(file)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	if len(c.API) == 0 {
		return c, fmt.Errorf("%s names no address", file)
	}
	return c, nil
}

// liveContexts gives the daemons that answer and forgets those that do not.
func (a *app) liveContexts(ctx context.Context) ([]daemonContext, error) {
	dir := a.runDir()
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := api.PrivateDir(dir); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var live []daemonContext
	for _, f := range files {
		c, err := readContext(f)
		if err == nil && c.Name+".json" == filepath.Base(f) && answers(ctx, c) {
			live = append(live, c)
			continue
		}
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return live, nil
}

// answers reports whether the daemon is there; one that is slow is.
func answers(ctx context.Context, c daemonContext) bool {
	client, err := api.Dial(c.API[0], "") // a refused token is an answer too
	if err != nil {
		return false
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	return !errors.Is(client.Live(ctx), api.ErrNoDaemon)
}

// dialAll makes clients; the token is read for TCP addresses only.
func dialAll(addrs []string, tokenFile string) (*api.Multi, error) {
	var clients []*api.Client
	for _, addr := range addrs {
		network, _, err := api.ParseAddr(addr)
		if err != nil {
			return nil, err
		}
		token := ""
		if network == "tcp" && tokenFile != "" {
			if token, err = api.ReadToken(tokenFile); err != nil {
				return nil, err
			}
		}
		c, err := api.Dial(addr, token)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	return api.NewMulti(clients...)
}

// daemons finds the daemon or daemons to speak to: --api, --context,
// MESHNODE_API, MESHNODE_CONTEXT, or the only one that runs.
func (a *app) daemons(ctx context.Context) (*api.Multi, error) {
	token := a.tokenFile
	if token == "" {
		token = a.getenv("MESHNODE_TOKEN_FILE")
	}
	addrs, name := a.apis, a.context
	if len(addrs) == 0 && name == "" {
		if env := a.getenv("MESHNODE_API"); env != "" {
			addrs = strings.Split(env, ",")
		} else {
			name = a.getenv("MESHNODE_CONTEXT")
		}
	}
	if len(addrs) > 0 {
		return dialAll(addrs, token)
	}
	live, err := a.liveContexts(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range live {
		names = append(names, c.Name)
		if c.Name == name || name == "" && len(live) == 1 {
			if token == "" {
				token = c.TokenFile
			}
			return dialAll(c.API[:1], token)
		}
	}
	switch {
	case name != "":
		return nil, hint(api.Fail(api.ErrNoDaemon, "no daemon named %q runs here", name), "meshnode up --name "+name)
	case len(live) == 0:
		return nil, api.Fail(api.ErrNoDaemon, "no daemon runs here")
	}
	return nil, hint(api.Fail(api.ErrUsage, "several daemons run here (%s)", strings.Join(names, ", ")),
		"say which one, with --context "+names[0])
}

// daemon is daemons for commands that look at one.
func (a *app) daemon(ctx context.Context) (*api.Client, error) {
	m, err := a.daemons(ctx)
	if err != nil {
		return nil, err
	}
	return m.Clients()[0], nil
}
