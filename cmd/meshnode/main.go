// Command meshnode runs a node of the mesh and speaks to running ones.
//
// "meshnode up" is the daemon; every other command is a client of a daemon's
// local API (package api), except bench --hops and demo, which build their
// nodes in this process. The command decides nothing about messages: it relies
// on the root package and on package api, and adds flags, files, signals,
// printing and exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/meshnode/meshnode/pkg/api"
)

func main() { os.Exit(Main()) }

// Main runs the command line and gives its exit code.
func Main() int {
	ctx, stop := untilSignal()
	defer stop()
	a := newApp()
	return a.run(ctx, os.Args[1:])
}

// untilSignal ends the context with the first SIGINT or SIGTERM; the second
// one ends the process.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			os.Exit(api.ExitInterrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
