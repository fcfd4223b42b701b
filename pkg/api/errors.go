package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Exit codes of the command line, the same for every command.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitNoDaemon    = 3
	ExitRefused     = 4
	ExitNotFound    = 5
	ExitUnknown     = 6
	ExitPartly      = 7
	ExitInterrupted = 130
)

// The sentinels of the API and of the command line, beside those of pkg/mesh.
var (
	// ErrInternal is returned for a failure that has no code of its own.
	ErrInternal = errors.New("failed")
	// ErrUsage is returned for an argument, query or method that is not one of ours.
	ErrUsage = errors.New("wrong usage")
	// ErrNoDaemon is returned when nothing answers at the address, before anything was sent.
	ErrNoDaemon = errors.New("no daemon")
	// ErrToken is returned when the bearer token is missing or wrong.
	ErrToken = errors.New("token refused")
	// ErrForeign is returned for a Host or Origin that is not this server's.
	ErrForeign = errors.New("foreign origin")
	// ErrNotFound is returned for a peer, work item or path that is not there.
	ErrNotFound = errors.New("not found")
	// ErrStreams is returned when the server holds MaxStreams already.
	ErrStreams = errors.New("too many streams")
	// ErrConfig is returned for a configuration that cannot be used.
	ErrConfig = errors.New("bad configuration")
	// ErrInUse is returned when another process holds the data directory or the socket.
	ErrInUse = errors.New("in use by another process")
	// ErrUnsafe is returned for a file or directory that others could read or replace.
	ErrUnsafe = errors.New("unsafe permissions")
	// ErrPort is returned when a listen address is taken.
	ErrPort = errors.New("address already in use")
	// ErrPartly is returned when some of several succeeded; it is also a
	// meshnode.ErrPartial.
	ErrPartly = Fail(meshnode.ErrPartial, "partly done")
	// ErrLost is returned when the daemon went away after it was sent the message;
	// it is also a mesh.ErrUnknown.
	ErrLost = fmt.Errorf("%w: the daemon went away", mesh.ErrUnknown)
)

// Entry explains one error code. Codes never change their meaning.
type Entry struct {
	Code   string      // "MN-0201"
	Err    error       // sentinel
	Status mesh.Status // of the mesh, 0 when the mesh had no say
	HTTP   int
	Exit   int
	Title  string // a sentence
	Cause  string // what usually leads here
	Next   string // the next command to try
}

// MN-01xx are of this machine; from MN-0200 on the number is the mesh status.
// A sentinel that wraps another comes before it.
var entries = []Entry{
	{"MN-0100", ErrInternal, 0, 500, ExitFailed, "The operation failed.", "The detail says what the system reported.", "meshnode status"},
	{"MN-0101", ErrUsage, 0, 400, ExitUsage, "An argument is not understood.", "A flag, query or value is unknown, missing or out of range.", "meshnode help"},
	{"MN-0102", ErrNoDaemon, 0, 503, ExitNoDaemon, "No daemon answers here.", "It is not running, or the address is another one.", "meshnode up"},
	{"MN-0103", ErrToken, 0, 401, ExitRefused, "The daemon refused the token.", "A TCP port asks for the token of the daemon's token file.", "meshnode status --token-file FILE"},
	{"MN-0104", ErrForeign, 0, 403, ExitRefused, "The daemon refused a foreign origin.", "The Host or Origin header names another site, as from a web page.", "use the Unix socket, or the exact address the daemon printed"},
	{"MN-0105", ErrNotFound, 0, 404, ExitNotFound, "There is no such thing.", "The name or id is wrong, or it has gone.", "meshnode peers ls"},
	{"MN-0106", ErrStreams, 0, 503, ExitFailed, "The daemon holds as many streams as it may.", "Too many subscribers or workers are attached.", "end some of them, or attach to another daemon"},
	{"MN-0107", ErrConfig, 0, 400, ExitUsage, "The configuration cannot be used.", "The detail names the field, its value and what is allowed.", "meshnode config check"},
	{"MN-0108", ErrInUse, 0, 409, ExitFailed, "Another process holds it.", "One data directory and one socket serve one daemon at a time.", "meshnode down, or meshnode up --name OTHER"},
	{"MN-0109", ErrUnsafe, 0, 403, ExitUsage, "Other users could read or replace it.", "Keys and sockets must belong to you alone.", "chmod 600 FILE (700 for a directory)"},
	{"MN-0110", ErrPort, 0, 409, ExitFailed, "The listen address is taken.", "Another program listens there.", "meshnode up --listen /ip4/0.0.0.0/tcp/0"},
	{"MN-0111", ErrPartly, 0, 502, ExitPartly, "Only a part was done.", "Some providers or messages succeeded and others did not.", "meshnode services ls"},
	{"MN-0112", context.Canceled, 0, 499, ExitInterrupted, "It was interrupted.", "The caller went away, or Ctrl-C was pressed.", "run it again"},
	{"MN-0113", ErrLost, mesh.StatusUnknown, 502, ExitUnknown, "The daemon went away after it took the message.", "The message may or may not have been handled.", "ask the provider; or send again with --failover if twice is harmless"},

	{"MN-0200", mesh.ErrNoRoute, mesh.StatusNoRoute, 404, ExitNotFound, "No way to that node is known.", "It is down, or further away than the TTL.", "meshnode routes ls"},
	{"MN-0201", mesh.ErrNoProvider, mesh.StatusNoProvider, 404, ExitNotFound, "Nobody reachable serves this address.", "No provider is up, the name is misspelt, or the TTL is too small.", "meshnode services ls"},
	{"MN-0202", mesh.ErrBusy, mesh.StatusBusy, 503, ExitFailed, "There was no room for the message.", "Queues or handlers are full; nothing was done.", "send again, slower"},
	{"MN-0203", mesh.ErrDraining, mesh.StatusDraining, 503, ExitFailed, "The node takes no new work.", "It is about to stop, or was drained; nothing was done.", "meshnode up, or use another daemon with --api"},
	{"MN-0204", mesh.ErrIncapable, mesh.StatusIncapable, 404, ExitNotFound, "Providers exist, and none matches the selector.", "The attributes in braces are those of no provider.", "meshnode services ls"},
	{"MN-0205", mesh.ErrTTL, mesh.StatusTTL, 404, ExitNotFound, "The hops were used up on the way.", "The provider is further away than the TTL.", "send again with --ttl 10"},
	{"MN-0206", mesh.ErrDuplicate, mesh.StatusDuplicate, 409, ExitFailed, "This message was carried before.", "The same id was sent twice.", "send again without an id"},
	{"MN-0207", mesh.ErrNotSent, mesh.StatusNotSent, 503, ExitFailed, "The link was gone before the message was sent.", "A neighbour went away; nothing was done.", "meshnode peers ls, and send again"},
	{"MN-0208", mesh.ErrNeedSignature, mesh.StatusNeedSignature, 502, ExitFailed, "The provider asks for a signature.", "The two nodes share no session yet.", "send again"},
	{"MN-0209", mesh.ErrConflict, mesh.StatusConflict, 409, ExitRefused, "Another node uses the same identity.", "A data directory or key was copied.", "meshnode id new --data-dir OTHER"},
	{"MN-0301", mesh.ErrPanic, mesh.StatusHandlerPanicked, 502, ExitFailed, "The provider's handler panicked.", "A bug of the service.", "read the provider's log"},
	{"MN-0300", mesh.ErrHandler, mesh.StatusHandlerFailed, 502, ExitFailed, "The provider's handler failed.", "The service refused or could not do it; the detail is its own.", "read the provider's log"},
	{"MN-0400", mesh.ErrMalformed, mesh.StatusMalformed, 400, ExitUsage, "The message or its address is not well-formed.", "A misspelt address or selector, or a value out of range.", "meshnode help pub"},
	{"MN-0401", mesh.ErrBadProof, mesh.StatusBadProof, 403, ExitRefused, "The signature is not the origin's.", "The message was changed on the way, or forged.", "meshnode status"},
	{"MN-0402", mesh.ErrTooLarge, mesh.StatusTooLarge, 413, ExitUsage, "It is larger than allowed.", "A payload may have 1 MiB (64 KiB in a group), headers 16 KiB.", "send it in parts"},
	{"MN-0403", mesh.ErrExpired, mesh.StatusExpired, 410, ExitFailed, "The message's time is over.", "It took too long on the way; the provider did not begin it.", "send again with a longer --timeout"},
	{"MN-0404", mesh.ErrClockSkew, mesh.StatusClockSkew, 400, ExitFailed, "Two clocks differ too much.", "One machine's clock is off by more than two minutes.", "date -u, on both machines"},
	{"MN-0405", mesh.ErrWrongNetwork, mesh.StatusWrongNetwork, 403, ExitRefused, "The other side is of another network.", "The network names or keys differ.", "meshnode status"},
	{"MN-0406", mesh.ErrDenied, mesh.StatusDenied, 403, ExitRefused, "It is not allowed.", "The other side's policy refuses it.", "ask whoever runs the network"},
	{"MN-0407", mesh.ErrVersion, mesh.StatusVersion, 400, ExitFailed, "The other side speaks another version.", "One of the two is too old.", "meshnode version, on both machines"},
	{"MN-0501", mesh.ErrTimeout, mesh.StatusTimeout, 504, ExitUnknown, "No word came in time.", "It may or may not have been done.", "send again with a longer --timeout and the same --key"},
	{"MN-0500", mesh.ErrUnknown, mesh.StatusUnknown, 504, ExitUnknown, "The outcome is unknown.", "A link broke after the message was sent; it may or may not have been done.", "send again with the same --key"},
}

// Entries lists all codes in order of the table.
func Entries() []Entry { return append([]Entry(nil), entries...) }

// Explain finds a code such as "MN-0201"; false when there is none.
func Explain(code string) (Entry, bool) {
	for _, e := range entries {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}

// Lookup finds the entry of an error; MN-0100 when nothing fits.
func Lookup(err error) Entry {
	if p, ok := errors.AsType[*Problem](err); ok {
		if e, ok := Explain(p.Code); ok {
			return e
		}
	}
	for _, e := range entries {
		if errors.Is(err, e.Err) {
			return e
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Lookup(mesh.ErrTimeout)
	case errors.Is(err, meshnode.ErrPartial):
		return Lookup(ErrPartly)
	case errors.Is(err, meshnode.ErrClosed):
		return Lookup(mesh.ErrDraining)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Lookup(mesh.ErrTooLarge)
	}
	return entries[0]
}
