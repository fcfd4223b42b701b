package meshnode

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
)

// The errors a sender meets; errors.Is finds them, wherever they were said.
var (
	ErrNoProvider = mesh.ErrNoProvider // nobody reachable serves the address
	ErrNoRoute    = mesh.ErrNoRoute    // no way to the named node
	ErrBusy       = mesh.ErrBusy       // no room
	ErrDraining   = mesh.ErrDraining   // the node takes no new work
	ErrHandler    = mesh.ErrHandler    // the handler failed
	ErrTimeout    = mesh.ErrTimeout    // no word in time; also an ErrUnknown
	ErrUnknown    = mesh.ErrUnknown    // it may have been done
	ErrTooLarge   = mesh.ErrTooLarge   // over a cap
	ErrMalformed  = mesh.ErrMalformed  // a wrong address, for one
	ErrClosed     = errors.New("node is closed")
	// ErrForwarded is returned when a message is passed on a second time.
	ErrForwarded = servicerouting.ErrForwarded
)

// SendError tells what became of a message that was not acknowledged.
type SendError struct {
	Op       string // publish, request, …
	To       string
	ID       mesh.ID
	Provider peer.ID // whom it was bound to, if anybody
	Status   mesh.Status
	Detail   string // the provider's sentence, if it gave one

	err error
}

// Error is one sentence.
func (e *SendError) Error() string {
	s := fmt.Sprintf("%s to %s", e.Op, e.To)
	if e.Provider != "" {
		s += " at " + e.Provider.String()
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap gives the sentinel.
func (e *SendError) Unwrap() error { return e.err }

// Retryable marks a handler's error: nothing was done, the sender may try
// another provider.
func Retryable(err error) error { return servicerouting.Retryable(err) }

func sendError(op, to string, r servicerouting.Result, err error) error {
	if err == nil || errors.Is(err, context.Canceled) && r.Status == 0 {
		return err
	}
	return &SendError{Op: op, To: to, ID: r.ID, Provider: r.Provider, Status: r.Status, Detail: r.Detail, err: err}
}
