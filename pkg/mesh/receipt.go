package mesh

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/meshnode/meshnode/pkg/mesh/pb"
)

// Answer is what goes back along the way of a frame: the receipt's small
// outer part. On the wire, many stand one behind the other:
//
//	offset size
//	0      4    length of what follows
//	4      8    sequence number it answers, on this link
//	12     2    status
//	14     1    hops from where it was said
//	15     1    flags
//	16     …    body: by status, a signed receipt, a probe answer, or nothing
type Answer struct {
	Seq    uint64
	Status Status
	Hops   uint8
	Flags  AnswerFlags
	Body   []byte
}

// AnswerFlags are the flags of an answer.
type AnswerFlags uint8

// The flags.
const (
	// AnswerMore: further answers to the same frame may follow.
	AnswerMore AnswerFlags = 1 << iota
	// AnswerPrune: of a duplicate, do not send me this service from there again.
	AnswerPrune
	// AnswerShort: of a probe that found nobody, it followed another search,
	// which went less far.
	AnswerShort
)

// MaxAnswer is the largest answer on the wire.
const MaxAnswer = 16 + 16<<10

const answerHead = 12 // after the length

// Append writes the answer.
func (a *Answer) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(answerHead+len(a.Body)))
	b = binary.BigEndian.AppendUint64(b, a.Seq)
	b = binary.BigEndian.AppendUint16(b, uint16(a.Status))
	b = append(b, a.Hops, byte(a.Flags))
	return append(b, a.Body...)
}

// ParseAnswer reads the first answer of b and gives the rest.
func ParseAnswer(b []byte) (a Answer, rest []byte, err error) {
	if len(b) < 4 {
		return a, nil, errAnswer
	}
	n := int(binary.BigEndian.Uint32(b))
	if n < answerHead || n > MaxAnswer-4 || n > len(b)-4 {
		return a, nil, errAnswer
	}
	b, rest = b[4:4+n], b[4+n:]
	a.Seq = binary.BigEndian.Uint64(b)
	a.Status = Status(binary.BigEndian.Uint16(b[8:]))
	a.Hops, a.Flags = b[10], AnswerFlags(b[11])
	a.Body = b[answerHead:]
	return a, rest, nil
}

var errAnswer = fmt.Errorf("answer: %w", ErrMalformed)

// Receipt is the provider's signed word on a message.
type Receipt struct {
	ID          ID
	Origin      peer.ID
	Provider    peer.ID
	Service     string
	Status      Status
	Detail      string
	At          time.Time
	Load        uint8 // percent of the provider's handlers that are busy
	Redelivered bool
	Attributes  uint64 // Digest of the provider's attributes; 0: it does not say
}

// Seal encodes and signs the receipt.
func (r *Receipt) Seal(key crypto.PrivKey) ([]byte, error) {
	return seal(key, DomainReceipt, &pb.Receipt{
		Id: r.ID[:], Origin: []byte(r.Origin), Provider: []byte(r.Provider),
		Service: r.Service, Status: uint32(r.Status), Detail: Clip(r.Detail),
		At: r.At.UnixMilli(), Load: uint32(r.Load), Redelivered: r.Redelivered,
		Attributes: r.Attributes,
	})
}

// OpenReceipt decodes a receipt and checks that its provider signed it.
func OpenReceipt(b []byte) (*Receipt, error) {
	var m pb.Receipt
	s, err := open(b, MaxRecord, &m)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	if len(m.GetId()) != 16 || !validPeer(m.GetOrigin()) || !validPeer(m.GetProvider()) || m.GetStatus() > 0xffff {
		return nil, fmt.Errorf("receipt: %w", ErrMalformed)
	}
	r := &Receipt{
		ID: ID(m.GetId()), Origin: peer.ID(m.GetOrigin()), Provider: peer.ID(m.GetProvider()),
		Service: m.GetService(), Status: Status(m.GetStatus()), Detail: Clip(m.GetDetail()),
		At: time.UnixMilli(m.GetAt()), Load: uint8(min(m.GetLoad(), 100)), Redelivered: m.GetRedelivered(),
		Attributes: m.GetAttributes(),
	}
	if err := Verify(r.Provider, DomainReceipt, s.GetBody(), s.GetSignature()); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}

func seal(key crypto.PrivKey, d Domain, m proto.Message) ([]byte, error) {
	s, err := sealed(key, d, m)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(s)
}

func sealed(key crypto.PrivKey, d Domain, m proto.Message) (*pb.Signed, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	sig, err := Sign(key, d, body)
	if err != nil {
		return nil, err
	}
	return &pb.Signed{Body: body, Signature: sig}, nil
}

// open decodes a Signed and the statement in it; it does not verify.
func open(b []byte, limit int, m proto.Message) (*pb.Signed, error) {
	if len(b) > limit {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(b), limit, ErrTooLarge)
	}
	s := new(pb.Signed)
	if err := proto.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := proto.Unmarshal(s.GetBody(), m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s, nil
}

// Clip makes a detail fit for the wire: UTF-8, and at most MaxDetail bytes.
func Clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), MaxDetail)], "?")
}
