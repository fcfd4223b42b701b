package mesh

import (
	"errors"
	"fmt"
)

// Status is the outcome of a message, a probe or a handshake. Its hundred is
// the whole retry policy:
//
//	1xx  it worked, or is being worked on
//	2xx  nothing was done here: try the next way, or the next provider
//	3xx  the handler answered: stop
//	4xx  the message itself is at fault: stop
//	5xx  unknown: it may or may not have been done
//
// Numbers are never reused.
type Status uint16

// The statuses.
const (
	// StatusOK: the handler returned success.
	StatusOK Status = 100
	// StatusHeld: two of three custodians hold the message on disk.
	StatusHeld Status = 101
	// StatusWorking: the provider has begun the message and not yet finished.
	StatusWorking Status = 102
	// StatusAble: answer to a probe, this provider serves the address.
	StatusAble Status = 103
	// StatusBranchDone: every provider of this branch of a flood has spoken.
	StatusBranchDone Status = 104

	// StatusNoRoute: no way to the bound provider is known here.
	StatusNoRoute Status = 200
	// StatusNoProvider: nobody in this branch serves the address.
	StatusNoProvider Status = 201
	// StatusBusy: no room to queue or to handle the message now.
	StatusBusy Status = 202
	// StatusDraining: the node takes no new work.
	StatusDraining Status = 203
	// StatusIncapable: the provider serves the service, not this selector.
	StatusIncapable Status = 204
	// StatusTTL: the hops are used up.
	StatusTTL Status = 205
	// StatusDuplicate: this node has carried the same frame before.
	StatusDuplicate Status = 206
	// StatusNotSent: the link was gone before the frame was written.
	StatusNotSent Status = 207
	// StatusNeedSignature: the node cannot check the proof; sign the same id.
	StatusNeedSignature Status = 208
	// StatusConflict: another node is linked here under the same identity.
	StatusConflict Status = 209

	// StatusHandlerFailed: the handler returned an error.
	StatusHandlerFailed Status = 300
	// StatusHandlerPanicked: the handler panicked.
	StatusHandlerPanicked Status = 301

	// StatusMalformed: the bytes do not parse.
	StatusMalformed Status = 400
	// StatusBadProof: the signature is not the origin's.
	StatusBadProof Status = 401
	// StatusTooLarge: over a cap of docs/limits.md.
	StatusTooLarge Status = 402
	// StatusExpired: the message's time is over.
	StatusExpired Status = 403
	// StatusClockSkew: the message is from the future by more than the tolerance.
	StatusClockSkew Status = 404
	// StatusWrongNetwork: the message or the neighbour is of another network.
	StatusWrongNetwork Status = 405
	// StatusDenied: not allowed.
	StatusDenied Status = 406
	// StatusVersion: a version this node does not speak.
	StatusVersion Status = 407

	// StatusUnknown: a link broke after the frame was sent.
	StatusUnknown Status = 500
	// StatusTimeout: no word came in time.
	StatusTimeout Status = 501
)

// The sentinels, one per status that a caller can meet. errors.Is finds them
// in whatever meshnode returns, also when another node said it.
var (
	// ErrNoRoute is returned when no way to a named node is known.
	ErrNoRoute = errors.New("no route")
	// ErrNoProvider is returned when nobody reachable within the TTL serves the address.
	ErrNoProvider = errors.New("no provider")
	// ErrBusy is returned when there was no room for the message.
	ErrBusy = errors.New("busy")
	// ErrDraining is returned by a node that takes no new work.
	ErrDraining = errors.New("draining")
	// ErrIncapable is returned when providers exist and none matches the selector.
	ErrIncapable = errors.New("incapable")
	// ErrTTL is returned when the hops were used up on the way.
	ErrTTL = errors.New("TTL used up")
	// ErrDuplicate is returned for a frame that was carried before.
	ErrDuplicate = errors.New("duplicate")
	// ErrNotSent is returned when a link was gone before the frame was written.
	ErrNotSent = errors.New("not sent")
	// ErrNeedSignature is returned when the provider asks for a signature.
	ErrNeedSignature = errors.New("signature needed")
	// ErrConflict is returned when two nodes use one identity.
	ErrConflict = errors.New("identity in use by another node")
	// ErrHandler is returned when the provider's handler failed.
	ErrHandler = errors.New("handler failed")
	// ErrPanic is returned when the provider's handler panicked; it is also an ErrHandler.
	ErrPanic = fmt.Errorf("%w: panic", ErrHandler)
	// ErrMalformed is returned for bytes that do not parse.
	ErrMalformed = errors.New("malformed")
	// ErrBadProof is returned when a signature is not the one claimed.
	ErrBadProof = errors.New("bad proof")
	// ErrTooLarge is returned for what is over a cap.
	ErrTooLarge = errors.New("too large")
	// ErrExpired is returned for a message whose time is over.
	ErrExpired = errors.New("expired")
	// ErrClockSkew is returned when two clocks differ by more than the tolerance.
	ErrClockSkew = errors.New("clock skew")
	// ErrWrongNetwork is returned when the other side is of another network.
	ErrWrongNetwork = errors.New("wrong network")
	// ErrDenied is returned for what is not allowed.
	ErrDenied = errors.New("denied")
	// ErrVersion is returned for a version that is not spoken here.
	ErrVersion = errors.New("unsupported version")
	// ErrUnknown is returned when the outcome cannot be known: it may have been done.
	ErrUnknown = errors.New("outcome unknown")
	// ErrTimeout is returned when no word came in time; it is also an ErrUnknown.
	ErrTimeout = fmt.Errorf("%w: timed out", ErrUnknown)
)

var statuses = map[Status]struct {
	name string
	err  error
}{
	StatusOK:              {"ok", nil},
	StatusHeld:            {"held", nil},
	StatusWorking:         {"working", nil},
	StatusAble:            {"able", nil},
	StatusBranchDone:      {"branch done", nil},
	StatusNoRoute:         {"no route", ErrNoRoute},
	StatusNoProvider:      {"no provider", ErrNoProvider},
	StatusBusy:            {"busy", ErrBusy},
	StatusDraining:        {"draining", ErrDraining},
	StatusIncapable:       {"incapable", ErrIncapable},
	StatusTTL:             {"TTL used up", ErrTTL},
	StatusDuplicate:       {"duplicate", ErrDuplicate},
	StatusNotSent:         {"not sent", ErrNotSent},
	StatusNeedSignature:   {"signature needed", ErrNeedSignature},
	StatusConflict:        {"identity conflict", ErrConflict},
	StatusHandlerFailed:   {"handler failed", ErrHandler},
	StatusHandlerPanicked: {"handler panicked", ErrPanic},
	StatusMalformed:       {"malformed", ErrMalformed},
	StatusBadProof:        {"bad proof", ErrBadProof},
	StatusTooLarge:        {"too large", ErrTooLarge},
	StatusExpired:         {"expired", ErrExpired},
	StatusClockSkew:       {"clock skew", ErrClockSkew},
	StatusWrongNetwork:    {"wrong network", ErrWrongNetwork},
	StatusDenied:          {"denied", ErrDenied},
	StatusVersion:         {"unsupported version", ErrVersion},
	StatusUnknown:         {"outcome unknown", ErrUnknown},
	StatusTimeout:         {"timed out", ErrTimeout},
}

// String names the status; an unknown one is "status 999".
func (s Status) String() string {
	if e, ok := statuses[s]; ok {
		return e.name
	}
	return fmt.Sprintf("status %d", uint16(s))
}

// Err is the sentinel of the status: nil for 1xx, and for an unknown number
// the sentinel of its hundred.
func (s Status) Err() error {
	if e, ok := statuses[s]; ok {
		return e.err
	}
	switch s / 100 {
	case 1:
		return nil
	case 2:
		return ErrBusy
	case 3:
		return ErrHandler
	case 4:
		return ErrMalformed
	}
	return ErrUnknown
}

// Negative reports that nothing was done, so that another way may be tried.
func (s Status) Negative() bool { return s/100 == 2 }

// Final reports that the provider or the message itself settled the matter.
func (s Status) Final() bool {
	return s == StatusOK || s == StatusHeld || s/100 == 3 || s/100 == 4
}
