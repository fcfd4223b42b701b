package mesh

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/meshnode/meshnode/pkg/mesh/pb"
)

// Mode tells how many providers a message is for.
type Mode uint8

// The modes.
const (
	ModeOne Mode = 1 // one provider is asked to handle it
	ModeAll Mode = 2 // every provider within the TTL, once each
)

// String is "one" or "all".
func (m Mode) String() string {
	switch m {
	case ModeOne:
		return "one"
	case ModeAll:
		return "all"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// Class tells what the returned word promises; see docs/architecture.md.
type Class uint8

// The classes.
const (
	ClassFire    Class = 1 // at most once, no word comes back
	ClassConfirm Class = 2 // the provider's handler returned success
	ClassStored  Class = 3 // as confirm, and it survives restarts
)

// String is the class as the command line spells it.
func (c Class) String() string {
	switch c {
	case ClassFire:
		return "fire"
	case ClassConfirm:
		return "confirm"
	case ClassStored:
		return "stored"
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Type tells what a message is.
type Type uint8

// The types.
const (
	TypeData    Type = 1 // for a handler; its receipt is the only answer
	TypeRequest Type = 2 // for a handler, whose reply comes back
	TypeReply   Type = 3 // answers a request; Correlation names it
	TypeProbe   Type = 4 // asks who serves an address
	TypeReceipt Type = 5 // a receipt that lost its table, in the payload
)

// Envelope is the immutable part of a message, signed by its origin.
type Envelope struct {
	ID          ID
	Origin      peer.ID
	Network     Network
	Address     Address
	Mode        Mode
	Class       Class
	Type        Type
	ContentType string
	Headers     map[string]string
	ReplyTo     string // address for answers; empty: the origin
	Correlation ID     // of a reply: the request it answers
	Created     time.Time
	Expires     time.Time
	TTL         uint8
	Payload     []byte
	Status      Status // of a reply
	Detail      string // of a reply that failed
	Key         string // idempotency key; empty: the ID
	Load        uint8  // of a reply: as in a receipt
	Attributes  uint64 // of a reply: as in a receipt
}

// Encode gives the bytes that are signed and sent. It returns ErrTooLarge or
// ErrMalformed for what no node would take.
func (e *Envelope) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	address := e.Address.String()
	if _, err := parseCanonical(address); err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	m := &pb.Envelope{
		Version:     Version,
		Id:          e.ID[:],
		Origin:      []byte(e.Origin),
		Network:     e.Network[:],
		Address:     address,
		Mode:        uint32(e.Mode),
		Class:       uint32(e.Class),
		Type:        uint32(e.Type),
		ContentType: e.ContentType,
		ReplyTo:     e.ReplyTo,
		Created:     e.Created.UnixMilli(),
		Expires:     e.Expires.UnixMilli(),
		Ttl:         uint32(e.TTL),
		Payload:     e.Payload,
		Status:      uint32(e.Status),
		Detail:      e.Detail,
		Key:         e.Key,
		Load:        uint32(e.Load),
		Attributes:  e.Attributes,
	}
	if !e.Correlation.IsZero() {
		m.Correlation = e.Correlation[:]
	}
	for _, k := range sortedKeys(e.Headers) {
		m.Headers = append(m.Headers, &pb.Header{Name: k, Value: e.Headers[k]})
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w: %w", ErrMalformed, err)
	}
	if len(b) > MaxEnvelope {
		return nil, fmt.Errorf("encode envelope: %d bytes, at most %d: %w", len(b), MaxEnvelope, ErrTooLarge)
	}
	return b, nil
}

// DecodeEnvelope reads and checks every field. It keeps nothing of b.
func DecodeEnvelope(b []byte) (*Envelope, error) {
	v, err := ParseView(b)
	if err != nil {
		return nil, err
	}
	var m pb.Envelope
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrMalformed, err)
	}
	addr, err := parseCanonical(m.GetAddress())
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	e := &Envelope{
		ID:          v.ID,
		Origin:      peer.ID(v.Origin),
		Network:     v.Network,
		Address:     addr,
		Mode:        v.Mode,
		Class:       v.Class,
		Type:        v.Type,
		ContentType: m.GetContentType(),
		ReplyTo:     m.GetReplyTo(),
		Created:     v.Created.Std(),
		Expires:     v.Expires.Std(),
		TTL:         v.TTL,
		Payload:     m.GetPayload(),
		Status:      Status(m.GetStatus()),
		Detail:      m.GetDetail(),
		Key:         m.GetKey(),
		Correlation: v.Correlation,
		Load:        uint8(min(m.GetLoad(), 100)),
		Attributes:  m.GetAttributes(),
	}
	if len(m.GetHeaders()) > MaxHeaders {
		return nil, fmt.Errorf("envelope: %d headers, at most %d: %w", len(m.GetHeaders()), MaxHeaders, ErrTooLarge)
	}
	if len(m.GetHeaders()) > 0 {
		e.Headers = make(map[string]string, len(m.GetHeaders()))
		for _, h := range m.GetHeaders() {
			if _, twice := e.Headers[h.GetName()]; twice {
				return nil, fmt.Errorf("envelope: header %q is given twice: %w", h.GetName(), ErrMalformed)
			}
			e.Headers[h.GetName()] = h.GetValue()
		}
	}
	if m.GetStatus() > 0xffff {
		return nil, fmt.Errorf("envelope: status %d: %w", m.GetStatus(), ErrMalformed)
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return e, nil
}

// check holds the rules that need neither a clock nor a key.
func (e *Envelope) check() error {
	switch {
	case e.ID.IsZero():
		return fmt.Errorf("no id: %w", ErrMalformed)
	case !validPeer([]byte(e.Origin)):
		return fmt.Errorf("origin is not a peer ID: %w", ErrMalformed)
	case e.Mode != ModeOne && e.Mode != ModeAll:
		return fmt.Errorf("%v: %w", e.Mode, ErrMalformed)
	case e.Class < ClassFire || e.Class > ClassStored:
		return fmt.Errorf("%v: %w", e.Class, ErrMalformed)
	case e.Type == 0:
		return fmt.Errorf("no type: %w", ErrMalformed)
	case e.TTL == 0 || e.TTL > MaxTTL:
		return fmt.Errorf("TTL %d is not 1 to %d: %w", e.TTL, MaxTTL, ErrMalformed)
	case len(e.Payload) > MaxPayload:
		return fmt.Errorf("payload of %d bytes, at most %d: %w", len(e.Payload), MaxPayload, ErrTooLarge)
	case len(e.Headers) > MaxHeaders:
		return fmt.Errorf("%d headers, at most %d: %w", len(e.Headers), MaxHeaders, ErrTooLarge)
	case len(e.Detail) > MaxDetail || len(e.ContentType) > MaxName || len(e.Key) > MaxName || len(e.ReplyTo) > MaxName:
		return fmt.Errorf("a text field is too long: %w", ErrTooLarge)
	case TimeOf(e.Created) <= 0 || TimeOf(e.Expires) <= TimeOf(e.Created):
		return fmt.Errorf("created %v, expires %v: %w", e.Created, e.Expires, ErrMalformed)
	case e.Expires.Sub(e.Created) > lifetime(e.Class):
		return fmt.Errorf("lifetime of %v, at most %v: %w", e.Expires.Sub(e.Created), lifetime(e.Class), ErrMalformed)
	}
	n := 0
	for k, v := range e.Headers {
		if k == "" || !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("header %q: %w", k, ErrMalformed)
		}
		n += len(k) + len(v)
	}
	if n > MaxHeaderBytes {
		return fmt.Errorf("headers of %d bytes, at most %d: %w", n, MaxHeaderBytes, ErrTooLarge)
	}
	return nil
}

// parseCanonical reads an address that must be in its canonical form.
func parseCanonical(s string) (Address, error) {
	a, err := ParseAddress(s)
	if err != nil {
		return Address{}, err
	}
	if a.String() != s {
		return Address{}, fmt.Errorf("address %q is not in canonical form: %w", s, ErrMalformed)
	}
	return a, nil
}

// IdempotencyKey is the key that stays the same when a message is sent again.
func (e *Envelope) IdempotencyKey() string {
	if e.Key != "" {
		return e.Key
	}
	return e.ID.String()
}

func lifetime(c Class) time.Duration {
	if c == ClassStored {
		return MaxStoredLifetime
	}
	return MaxLifetime
}

// CheckTime holds the rules that need a clock: ErrExpired or ErrClockSkew.
// Both allow for the clock tolerance.
func CheckTime(now time.Time, created, expires Time) error {
	if Time(now.Add(-ClockTolerance).UnixMilli()) > expires {
		return fmt.Errorf("expired %v ago: %w", now.Sub(expires.Std()).Round(time.Millisecond), ErrExpired)
	}
	if ahead := created.Std().Sub(now); ahead > ClockTolerance {
		return fmt.Errorf("made %v in the future: %w", ahead.Round(time.Second), ErrClockSkew)
	}
	return nil
}

// validPeer accepts the two byte forms of a libp2p peer ID: an identity
// multihash that holds an Ed25519 key (38 bytes), and a SHA-256 one (34).
func validPeer(b []byte) bool {
	return len(b) == 38 && bytes.HasPrefix(b, []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}) ||
		len(b) == 34 && b[0] == 0x12 && b[1] == 0x20
}
