package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
)

// apiGrace is how long calls may take to end once the node is closed.
const apiGrace = 2 * time.Second

// runDaemon owns everything a daemon has, taken in this order: data directory,
// API sockets, node, API server, context. The sockets go last: while one is
// there, the daemon is.
func (a *app) runDaemon(ctx context.Context, s settings) (err error) {
	log, err := newLogger(s.LogLevel)
	if err != nil {
		return err
	}
	cfg, err := nodeConfig(s, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	unlock, err := lockDataDir(s)
	if err != nil {
		return err
	}
	defer unlock()
	listeners, err := listenAll(s)
	if err != nil {
		return err
	}
	node, err := meshnode.New(ctx, meshnode.WithConfig(cfg))
	if err != nil {
		return errors.Join(explainStart(err), closeAll(listeners))
	}

	server := api.NewServer(api.Config{
		Node: api.ForNode(node), Down: stop, Logger: log.With("part", "api"),
		SetLogLevel: func(part, level string) error { return setLevels(part + "=" + level) },
	})
	var wg sync.WaitGroup
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		wg.Go(func() {
			if err := server.Serve(l); err != nil {
				failed <- err
				stop()
			}
		})
	}
	if err = node.Ready(ctx); err == nil {
		err = a.announce(s, node, listeners)
	}
	if err == nil {
		<-ctx.Done()
		a.say("%s goes down: new work is refused, the rest is finished", s.Name)
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.DrainTimeout)
	defer cancel()
	if e := node.Shutdown(down); e != nil {
		err = errors.Join(err, fmt.Errorf("shut down: %w", e))
	}
	unlock()
	err = errors.Join(err, a.unregister(s.Name), a.forgetToken(s), shutAPI(server))
	wg.Wait()
	select {
	case e := <-failed:
		err = errors.Join(err, e)
	default:
	}
	return err
}

// announce makes the node known: its context first, since what is printed
// may be used at once.
func (a *app) announce(s settings, node *meshnode.Node, listeners []*api.Listener) error {
	var apis []string
	for _, l := range listeners {
		apis = append(apis, l.Address())
	}
	st := node.Status()
	c := daemonContext{
		Head: head, Name: s.Name, API: apis, TokenFile: s.TokenFile, PID: os.Getpid(),
		ID: st.ID.String(), Network: st.Network,
	}
	if err := a.register(c); err != nil {
		return err
	}
	return a.banner(s, st, apis)
}

func (a *app) forgetToken(s settings) error {
	if s.TokenFile != a.passingToken(s.Name) {
		return nil
	}
	if err := os.Remove(s.TokenFile); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// shutAPI ends the streams, gives calls a moment, and closes the sockets.
func shutAPI(server *api.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), apiGrace)
	defer cancel()
	if server.Shutdown(ctx) == nil {
		return nil
	}
	return server.Close()
}

func listenAll(s settings) ([]*api.Listener, error) {
	var out []*api.Listener
	for _, addr := range s.API {
		l, err := api.Listen(addr, s.TokenFile)
		if err != nil {
			if errors.Is(err, api.ErrInUse) {
				err = hint(err, "meshnode down --api "+addr+", or meshnode up --name OTHER")
			}
			return nil, errors.Join(err, closeAll(out))
		}
		out = append(out, l)
	}
	return out, nil
}

func closeAll(listeners []*api.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

func nodeConfig(s settings, log *slog.Logger) (meshnode.Config, error) {
	cfg := meshnode.DefaultConfig()
	cfg.Name, cfg.Network, cfg.Profile, cfg.Zone = s.Name, s.Network, s.Profile, s.Zone
	cfg.Listen, cfg.Peers, cfg.MDNS = s.Listen, s.Join, s.MDNS
	cfg.DataDir, cfg.Logger = s.DataDir, log
	var err error
	if cfg.NetworkKey, err = networkKey(s.NetworkKeyFile); err != nil {
		return cfg, err
	}
	if s.DataDir != "" {
		file := meshnode.IdentityFile(s.DataDir)
		if _, err := api.PrivateFile(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cfg, hint(fmt.Errorf("identity: %w", err), "chmod 600 "+file)
		}
	}
	if err := cfg.Validate(); err != nil {
		return cfg, api.Fail(api.ErrConfig, "%w", err)
	}
	return cfg, nil
}

// networkKey reads 64 hexadecimal digits; an empty name is an open network.
func networkKey(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	b, err := api.PrivateFile(file)
	if errors.Is(err, api.ErrUnsafe) {
		return nil, hint(fmt.Errorf("network_key_file: %w", err), "chmod 600 "+file)
	}
	if err != nil {
		return nil, api.Fail(api.ErrConfig, "network_key_file: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(key) != 32 {
		return nil, hint(api.Fail(api.ErrConfig, "network_key_file: %s: want 64 hexadecimal digits", file),
			"openssl rand -hex 32 > "+file)
	}
	return key, nil
}

// explainStart finds the usual reasons why a node does not start.
func explainStart(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) || strings.Contains(err.Error(), "address already in use") {
		return fmt.Errorf("%w: %w", api.ErrPort, err)
	}
	return err
}
