package api

import (
	"time"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Head opens every JSON object.
type Head struct {
	APIVersion string `json:"apiVersion"`
}

var head = Head{Version}

// Body is a payload in JSON: readable text as text, the rest in base64.
type Body struct {
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
}

// MakeBody chooses the form.
func MakeBody(b []byte) Body {
	if !utf8.Valid(b) {
		return Body{Base64: b}
	}
	for _, c := range b {
		// Control bytes would grow sixfold as \u00XX.
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return Body{Base64: b}
		}
	}
	return Body{Text: string(b)}
}

// Bytes is the payload.
func (b Body) Bytes() []byte {
	if b.Base64 != nil {
		return b.Base64
	}
	return []byte(b.Text)
}

// Receipt is what a sender learns of a message. Durations in JSON are
// nanoseconds, as everywhere in this API.
type Receipt struct {
	Head
	ID          string        `json:"id"`
	Provider    peer.ID       `json:"provider,omitempty"`
	Status      mesh.Status   `json:"status,omitempty"`
	Outcome     string        `json:"outcome,omitempty"` // Status in words
	Hops        int           `json:"hops"`
	RTT         time.Duration `json:"rtt"`
	Attempts    int           `json:"attempts,omitempty"`
	Load        int           `json:"load,omitempty"` // percent
	Redelivered bool          `json:"redelivered,omitempty"`
	Detail      string        `json:"detail,omitempty"`
}

func makeReceipt(r meshnode.Receipt) Receipt {
	out := Receipt{
		Head: head, ID: r.ID.String(), Provider: r.Provider, Status: r.Status, Hops: r.Hops, RTT: r.RTT,
		Attempts: r.Attempts, Load: r.Load, Redelivered: r.Redelivered, Detail: r.Detail,
	}
	if r.Status != 0 {
		out.Outcome = r.Status.String()
	}
	return out
}

// Receipts answers a message to all. Error is set when the node could not
// finish; the receipts are those that came before.
type Receipts struct {
	Head
	Receipts []Receipt `json:"receipts"`
	Error    *Problem  `json:"error,omitempty"`
}

// Message is what a subscriber gets.
type Message struct {
	Head
	ID          string            `json:"id"`
	From        peer.ID           `json:"from,omitempty"`
	To          string            `json:"to"`
	Mode        string            `json:"mode,omitempty"`  // one or all
	Class       string            `json:"class,omitempty"` // fire, confirm or stored
	Request     bool              `json:"request,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`
	Hops        int       `json:"hops"`
	Key         string    `json:"key,omitempty"`
	Redelivered bool      `json:"redelivered,omitempty"`
}

func makeMessage(m *meshnode.Message) Message {
	out := Message{
		Head: head, ID: m.ID.String(), From: m.From, To: m.To.String(), Request: m.Request,
		ContentType: m.ContentType, Headers: m.Headers, Body: MakeBody(m.Payload),
		Created: m.Created, Expires: m.Expires, Hops: m.Hops, Key: m.Key, Redelivered: m.Redelivered,
	}
	if m.Mode != 0 {
		out.Mode = m.Mode.String()
	}
	if m.Class != 0 {
		out.Class = m.Class.String()
	}
	return out
}

// Work is a message to be answered before it expires.
type Work struct {
	Message
	Work string `json:"work"` // names it in POST /v1/work/{id}

	client *Client
}

// Reply is what a requester gets, and what a worker answers (then only Body,
// ContentType and Headers count).
type Reply struct {
	Head
	ID          string            `json:"id,omitempty"`
	From        peer.ID           `json:"from,omitempty"`
	Hops        int               `json:"hops"`
	RTT         time.Duration     `json:"rtt"`
	ContentType string            `json:"contentType,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body
}

func makeReply(id mesh.ID, r meshnode.Reply) Reply {
	out := Reply{
		Head: head, From: r.From, Hops: r.Hops, RTT: r.RTT,
		ContentType: r.ContentType, Headers: r.Headers, Body: MakeBody(r.Payload),
	}
	if !id.IsZero() {
		out.ID = id.String()
	}
	return out
}

// Status is the node at a glance.
type Status struct {
	Head
	meshnode.Status
}

// Peers lists the neighbours.
type Peers struct {
	Head
	Peers []meshnode.PeerInfo `json:"peers"`
}

// Routes lists the known ways.
type Routes struct {
	Head
	Routes []meshnode.RouteInfo `json:"routes"`
}

// Services lists the known services.
type Services struct {
	Head
	Services []meshnode.ServiceInfo `json:"services"`
}

// Groups lists the groups the node is in.
type Groups struct {
	Head
	Groups []meshnode.GroupInfo `json:"groups"`
}

// Providers lists who could be asked, best first.
type Providers struct {
	Head
	To        string                  `json:"to"`
	Providers []meshnode.ProviderInfo `json:"providers"`
}

// Candidates lists who serves an address, best first, and why each would be
// asked or not.
type Candidates struct {
	Head
	To         string                   `json:"to"`
	Candidates []meshnode.CandidateInfo `json:"candidates"`
}

// Connected names the neighbour that was reached.
type Connected struct {
	Head
	ID peer.ID `json:"id"`
}

// Done says that it happened.
type Done struct {
	Head
	Done string `json:"done"`
}

// line is one line of a stream: an item, or an error of one.
type errorLine struct {
	Head
	Error *Problem `json:"error"`
}
