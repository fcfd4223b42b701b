package mesh

import (
	"encoding/binary"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// HopHeader is the part of a frame that changes at every hop. Nothing in it
// is trusted beyond the link it came by. On the wire it has a fixed size and
// stands before the envelope, so that a relay rewrites it in place:
//
//	offset size
//	0      1    flags
//	1      1    TTL: hops left, counting the crossing it is on
//	2      1    hops: crossings done before this one
//	3      1    attempt: 0 first, rises when the origin asks again
//	4      1    budget: reroutes left
//	5      1    priority: 2 request, 3 the rest
//	6      1    reach: of a probe, the hops within which a node may name a
//	            provider that it only knows; 0: providers speak for themselves
//	7      1    zero
//	8      4    reroute nonce: 0 until a node took another way
//	12     4    zero
//	16     8    sequence number on this link
//	24     8    back: of an answer, the sequence number it answers
//	32     1    length of the bound provider, 0 when unbound
//	33     39   bound provider, peer ID in its byte form, zero padded
type HopHeader struct {
	Flags    HopFlags
	TTL      uint8
	Hops     uint8
	Attempt  uint8
	Budget   uint8
	Priority uint8
	Reach    uint8
	Nonce    uint32
	Seq      uint64
	Back     uint64
	Bound    peer.ID
}

// HopFlags are the flags of a hop header.
type HopFlags uint8

// The flags.
const (
	FlagProbe     HopFlags = 1 << iota // asks who serves the address
	FlagFlood                          // goes to everybody within the TTL
	FlagTrace                          // the receipt gathers the path
	FlagForwarded                      // a provider passed it on: it may not be passed on again
)

// HopHeaderLen is the size of a hop header on the wire.
const HopHeaderLen = 72

// FirstBudget is the number of reroutes that a new frame may use.
const FirstBudget = 4

// Append writes the header.
func (h *HopHeader) Append(b []byte) []byte {
	n := len(b)
	b = append(b, make([]byte, HopHeaderLen)...)
	h.Put(b[n:])
	return b
}

// Put writes the header over b, which has at least HopHeaderLen bytes.
func (h *HopHeader) Put(b []byte) {
	b = b[:HopHeaderLen]
	b[0], b[1], b[2], b[3] = byte(h.Flags), h.TTL, h.Hops, h.Attempt
	b[4], b[5], b[6], b[7] = h.Budget, h.Priority, h.Reach, 0
	binary.BigEndian.PutUint32(b[8:], h.Nonce)
	binary.BigEndian.PutUint32(b[12:], 0)
	binary.BigEndian.PutUint64(b[16:], h.Seq)
	binary.BigEndian.PutUint64(b[24:], h.Back)
	b[32] = byte(len(h.Bound))
	n := copy(b[33:], h.Bound)
	clear(b[33+n:])
}

// RawHop is a header as it was read: Bound is a part of the frame's bytes.
type RawHop struct {
	HopHeader
	BoundRaw []byte
}

// ParseHop reads a header without allocation; HopHeader.Bound stays empty.
func ParseHop(b []byte) (RawHop, error) {
	var h RawHop
	if len(b) < HopHeaderLen {
		return h, errHop
	}
	h.Flags, h.TTL, h.Hops, h.Attempt = HopFlags(b[0]), b[1], b[2], b[3]
	h.Budget, h.Priority, h.Reach = b[4], b[5], b[6]
	h.Nonce = binary.BigEndian.Uint32(b[8:])
	h.Seq = binary.BigEndian.Uint64(b[16:])
	h.Back = binary.BigEndian.Uint64(b[24:])
	if n := int(b[32]); n > 0 {
		if n > HopHeaderLen-33 || !validPeer(b[33:33+n]) {
			return h, errHop
		}
		h.BoundRaw = b[33 : 33+n]
	}
	return h, nil
}

var errHop = fmt.Errorf("hop header: %w", ErrMalformed)

// AppendFrame writes a frame, which is what crosses a link for one message:
// the hop header, then the envelope's length (4 bytes, big endian), the
// envelope, and its proof.
func AppendFrame(b []byte, h *HopHeader, envelope, proof []byte) []byte {
	b = h.Append(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(envelope)))
	b = append(b, envelope...)
	return append(b, proof...)
}

// MaxFrame is the largest frame.
const MaxFrame = HopHeaderLen + 4 + MaxEnvelope + MaxProof

// SplitFrame finds the envelope and the proof in a frame.
func SplitFrame(b []byte) (envelope, proof []byte, err error) {
	if len(b) < HopHeaderLen+4 {
		return nil, nil, errFrame
	}
	size := binary.BigEndian.Uint32(b[HopHeaderLen:])
	if size > MaxEnvelope { // before it becomes an int, which may have 32 bits
		return nil, nil, errFrame
	}
	n, b := int(size), b[HopHeaderLen+4:]
	if n > len(b) || len(b)-n > MaxProof {
		return nil, nil, errFrame
	}
	return b[:n:n], b[n:], nil
}

var errFrame = fmt.Errorf("frame: %w", ErrMalformed)
