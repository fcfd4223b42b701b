package sim

import (
	"encoding/binary"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// The kinds of body of an answer.
const (
	bodyNone    uint8 = iota
	bodyCount         // of a flood's branch: four bytes, as on the wire
	bodyReceipt       // who: provider; what: origin; n: message
	bodyRecord        // who: provider; what: service; n: epoch
)

// body is what an answer says, in place of sealed bytes. The router hands
// bodies on unread, so that any encoding will do: this one is bodyLen bytes.
type body struct {
	n      uint64
	who    int32
	what   int32
	status mesh.Status
	kind   uint8
	load   uint8
}

const bodyLen = 20

// Sizes on the wire, in bytes: a signed receipt, and a probe's answer.
const (
	receiptSize = 200
	recordSize  = 350
)

func (b *body) size() int64 {
	switch b.kind {
	case bodyCount:
		return 4
	case bodyReceipt:
		return receiptSize
	case bodyRecord:
		return recordSize
	}
	return 0
}

// encode writes the body into the arena, which lasts until a node has acted.
func (s *sim) encode(b *body) []byte {
	if b.kind == bodyNone {
		return nil
	}
	n := len(s.arena)
	if b.kind == bodyCount {
		s.arena = binary.BigEndian.AppendUint32(s.arena, uint32(b.n))
	} else {
		s.arena = append(s.arena, b.kind, b.load)
		s.arena = binary.BigEndian.AppendUint16(s.arena, uint16(b.status))
		s.arena = binary.BigEndian.AppendUint32(s.arena, uint32(b.who))
		s.arena = binary.BigEndian.AppendUint32(s.arena, uint32(b.what))
		s.arena = binary.BigEndian.AppendUint64(s.arena, b.n)
	}
	return s.arena[n:len(s.arena):len(s.arena)]
}

func decode(b []byte) body {
	switch len(b) {
	case 4:
		return body{kind: bodyCount, n: uint64(binary.BigEndian.Uint32(b))}
	case bodyLen:
		return body{
			kind: b[0], load: b[1], status: mesh.Status(binary.BigEndian.Uint16(b[2:])),
			who: int32(binary.BigEndian.Uint32(b[4:])), what: int32(binary.BigEndian.Uint32(b[8:])),
			n: binary.BigEndian.Uint64(b[12:]),
		}
	}
	return body{}
}
