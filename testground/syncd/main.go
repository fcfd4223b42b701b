// Command syncd is the sync service of Testground, alone: barriers and topics
// in memory, over WebSocket, by which the instances of a plan meet.
//
//	syncd [port]    default 5050; 0 is a free one
//
// It prints the port it listens on and serves until it is told to end by an
// interrupt or the end of its standard input, so that it does not outlive who
// started it. It listens on every interface and asks nobody who he is: run it
// where only a plan can reach it.
//
// The service itself is github.com/testground/sync-service; its own command
// needs all of Testground to build, for a log and an environment file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	tgsync "github.com/testground/sync-service"
	"go.uber.org/zap"
)

const defaultPort = 5050

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "syncd:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	port := defaultPort
	if len(args) > 0 {
		var err error
		if port, err = strconv.Atoi(args[0]); err != nil || len(args) > 1 {
			return fmt.Errorf("arguments are %q: need at most one, a port", args)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	service, err := tgsync.NewDefaultService(ctx, zap.NewNop().Sugar())
	if err != nil {
		return err
	}
	server, err := tgsync.NewServer(service, port)
	if err != nil {
		return errors.Join(fmt.Errorf("port %d is taken: %w", port, err), service.Close())
	}
	fmt.Fprintln(out, server.Port())

	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, in)
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-ended:
	}
	// Connections of instances that hang stay open: they get a moment.
	last, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = server.Shutdown(last)
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
