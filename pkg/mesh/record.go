package mesh

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/meshnode/meshnode/pkg/mesh/pb"
)

// Record is a provider's signed, expiring statement that it serves a service.
type Record struct {
	Provider   peer.ID
	Network    Network
	Service    string
	Attributes Attributes
	Epoch      uint64 // rises with each record of this provider
	Created    time.Time
	Expires    time.Time
	// Since is when the provider began to serve; zero: it does not say. A
	// newcomer gets its share of the work little by little.
	Since time.Time
}

// Digest tells two sets of attributes apart: FNV-1a over the names and values,
// in order of the names, each behind a zero byte. It is never 0.
func (a Attributes) Digest() uint64 {
	h := uint64(14695981039346656037)
	for _, k := range sortedKeys(a) {
		for _, s := range [2]string{k, a[k]} {
			h *= 1099511628211 // of the zero byte
			for i := range len(s) {
				h = (h ^ uint64(s[i])) * 1099511628211
			}
		}
	}
	return max(h, 1)
}

// Seal encodes and signs the record; ErrTooLarge over MaxRecord.
func (r *Record) Seal(key crypto.PrivKey) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	b, err := seal(key, DomainRecord, r.proto())
	if err == nil && len(b) > MaxRecord {
		return nil, fmt.Errorf("record of %d bytes, at most %d: %w", len(b), MaxRecord, ErrTooLarge)
	}
	return b, err
}

func (r *Record) proto() *pb.ServiceRecord {
	m := &pb.ServiceRecord{
		Provider: []byte(r.Provider), Network: r.Network[:], Service: r.Service,
		Epoch: r.Epoch, Created: r.Created.UnixMilli(), Expires: r.Expires.UnixMilli(),
	}
	if !r.Since.IsZero() {
		m.Since = r.Since.UnixMilli()
	}
	for _, k := range sortedKeys(r.Attributes) {
		m.Attributes = append(m.Attributes, &pb.Attribute{Name: k, Value: r.Attributes[k]})
	}
	return m
}

// OpenRecord decodes a record and checks that its provider signed it. It does
// not look at the clock.
func OpenRecord(b []byte) (*Record, error) {
	var m pb.ServiceRecord
	s, err := open(b, MaxRecord, &m)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if len(m.GetNetwork()) != 16 || !validPeer(m.GetProvider()) || len(m.GetAttributes()) > MaxAttributes {
		return nil, fmt.Errorf("record: %w", ErrMalformed)
	}
	r := &Record{
		Provider: peer.ID(m.GetProvider()), Network: Network(m.GetNetwork()), Service: m.GetService(),
		Attributes: make(Attributes, len(m.GetAttributes())), Epoch: m.GetEpoch(),
		Created: time.UnixMilli(m.GetCreated()), Expires: time.UnixMilli(m.GetExpires()),
	}
	if m.GetSince() > 0 {
		r.Since = time.UnixMilli(m.GetSince())
	}
	for _, a := range m.GetAttributes() {
		r.Attributes[a.GetName()] = a.GetValue()
	}
	if len(r.Attributes) != len(m.GetAttributes()) {
		return nil, fmt.Errorf("record: an attribute is given twice: %w", ErrMalformed)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if err := Verify(r.Provider, DomainRecord, s.GetBody(), s.GetSignature()); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return r, nil
}

func (r *Record) check() error {
	if err := ValidName("service name", r.Service); err != nil {
		return err
	}
	if !r.Expires.After(r.Created) {
		return fmt.Errorf("expires before it is created: %w", ErrMalformed)
	}
	return ValidAttributes(r.Attributes)
}

// ProbeAnswer is an able provider's answer to a probe.
type ProbeAnswer struct {
	Record []byte // sealed Record
	Load   uint8  // percent; a hint
}

// Encode gives the answer's bytes.
func (p *ProbeAnswer) Encode() ([]byte, error) {
	s := new(pb.Signed)
	if err := proto.Unmarshal(p.Record, s); err != nil {
		return nil, fmt.Errorf("probe answer: %w: %w", ErrMalformed, err)
	}
	return proto.Marshal(&pb.ProbeAnswer{Record: s, Load: uint32(p.Load)})
}

// OpenProbeAnswer decodes an answer and its record, and verifies the record.
func OpenProbeAnswer(b []byte) (*Record, uint8, error) {
	if len(b) > 2*MaxRecord {
		return nil, 0, fmt.Errorf("probe answer: %w", ErrTooLarge)
	}
	var m pb.ProbeAnswer
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, 0, fmt.Errorf("probe answer: %w: %w", ErrMalformed, err)
	}
	sealed, err := proto.Marshal(m.GetRecord())
	if err != nil {
		return nil, 0, fmt.Errorf("probe answer: %w: %w", ErrMalformed, err)
	}
	r, err := OpenRecord(sealed)
	return r, uint8(min(m.GetLoad(), 100)), err
}
