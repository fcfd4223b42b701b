package meshnode

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Message is what a handler or a subscriber gets.
type Message struct {
	ID          mesh.ID
	From        peer.ID      // the node that sent and signed it
	To          mesh.Address // as the sender wrote it
	Mode        mesh.Mode
	Class       mesh.Class
	Request     bool // the sender waits for a reply
	ContentType string
	Headers     map[string]string
	Payload     []byte
	Created     time.Time
	Expires     time.Time
	Hops        int    // crossings it took to get here
	Key         string // idempotency key: the same when a message is sent again
	Redelivered bool   // the handler may have run for it before

	forward func(ctx context.Context, selector string) (Reply, error)
}

// Forward passes the message on to another provider of the same service whose
// attributes match the selector ("gpu=yes"), under the same ID, and gives what
// that provider answered. A message can be forwarded once.
func (m *Message) Forward(ctx context.Context, selector string) (Reply, error) {
	return m.forward(ctx, selector)
}

// Reply is what a handler answers and a requester gets. Of a handler's reply
// only Payload, ContentType and Headers count.
type Reply struct {
	Payload     []byte
	ContentType string
	Headers     map[string]string

	From peer.ID       // provider that answered
	Hops int           // crossings from the provider
	RTT  time.Duration // from sending to the answer
}

// Receipt is what a sender learns of a message.
type Receipt struct {
	ID          mesh.ID
	Provider    peer.ID // empty for class fire
	Status      mesh.Status
	Hops        int
	RTT         time.Duration
	Attempts    int
	Load        int  // percent of the provider's handlers that were busy
	Redelivered bool // the handler had been begun before
	Detail      string
}

// Handler does the work of a service. A returned error, or a panic, becomes a
// receipt that says so; return Retryable(err) when nothing was done and the
// sender may try elsewhere. ctx ends when the message expires or the node
// closes.
type Handler func(ctx context.Context, m *Message) (Reply, error)

// Text is a Reply of plain text.
func Text(s string) Reply {
	return Reply{Payload: []byte(s), ContentType: "text/plain; charset=utf-8"}
}
