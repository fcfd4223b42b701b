package link

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Kind tells what a unit on the stream is. Numbers are never reused.
type Kind uint8

// The kinds. A unit is: length of what follows (4 bytes, big endian), kind (1),
// body.
const (
	KindFrame    Kind = 1 // a frame, as mesh.AppendFrame writes it
	KindFragment Kind = 2 // lane (1), flags (1), of the first: total length (4), bytes
	KindAnswers  Kind = 3 // answers, one behind the other
	KindCredit   Kind = 4 // payload bytes granted since the start (8)
	KindPing     Kind = 5 // a number (8)
	KindPong     Kind = 6 // the ping's number (8)
	KindGraft    Kind = 7 // mesh.EncodeGraft
	KindWithdraw Kind = 8 // mesh.EncodeWithdraw
	KindBye      Kind = 9 // nothing: the neighbour is about to leave
)

const (
	unitHead     = 5
	maxBody      = 32 << 10 // of a frame that goes whole, and of a fragment's bytes
	maxUnit      = unitHead + maxBody + 64
	fragmentHead = 2
	flagFirst    = 1
	flagLast     = 2
)

func appendUnit(b []byte, k Kind, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(1+len(body)))
	b = append(b, byte(k))
	return append(b, body...)
}

func appendUnit64(b []byte, k Kind, v uint64) []byte {
	b = binary.BigEndian.AppendUint32(b, 9)
	b = append(b, byte(k))
	return binary.BigEndian.AppendUint64(b, v)
}

// nextUnit finds the first whole unit of b. n is its size, 0 when more bytes
// are needed.
func nextUnit(b []byte) (k Kind, body []byte, n int, err error) {
	if len(b) < 4 {
		return 0, nil, 0, nil
	}
	size := int(binary.BigEndian.Uint32(b))
	if size < 1 {
		return 0, nil, 0, fmt.Errorf("unit without a kind: %w", mesh.ErrMalformed)
	}
	if size > maxUnit-4 {
		return 0, nil, 0, fmt.Errorf("unit of %d bytes, at most %d: %w", size, maxUnit-4, mesh.ErrTooLarge)
	}
	if len(b) < 4+size {
		return 0, nil, 0, nil
	}
	return Kind(b[4]), b[unitHead : 4+size], 4 + size, nil
}

// assembly puts the fragments of one lane's frame together. It grows by 64 KiB
// at a time: never more than has arrived, and that. The memory serves the next
// frame too, and goes when none came for a while.
type assembly struct {
	buf   []byte
	total int
	open  bool
	used  time.Time // when the last frame was whole
}

const growBy = 64 << 10

// add takes a fragment's flags and bytes; it gives the frame when it is whole.
func (a *assembly) add(flags byte, b []byte) ([]byte, error) {
	if flags&flagFirst != 0 {
		if a.open || len(b) < 4 {
			return nil, fmt.Errorf("fragment: first inside a frame: %w", mesh.ErrMalformed)
		}
		a.total = int(binary.BigEndian.Uint32(b))
		b = b[4:]
		if a.total < mesh.HopHeaderLen+4 {
			return nil, errShort
		}
		if a.total > mesh.MaxFrame {
			return nil, fmt.Errorf("frame of %d bytes, at most %d: %w", a.total, mesh.MaxFrame, mesh.ErrTooLarge)
		}
		a.buf, a.open = a.buf[:0], true
	}
	if len(b) > maxBody {
		return nil, fmt.Errorf("fragment of %d bytes, at most %d: %w", len(b), maxBody, mesh.ErrTooLarge)
	}
	if !a.open || len(b) == 0 || len(a.buf)+len(b) > a.total {
		return nil, fmt.Errorf("fragment out of place: %w", mesh.ErrMalformed)
	}
	if len(a.buf)+len(b) > cap(a.buf) {
		bigger := make([]byte, len(a.buf), min(a.total, len(a.buf)+growBy))
		copy(bigger, a.buf)
		a.buf = bigger
	}
	a.buf = append(a.buf, b...)
	if last := flags&flagLast != 0; last != (len(a.buf) == a.total) {
		return nil, fmt.Errorf("frame of %d bytes, last is %v after %d: %w", a.total, last, len(a.buf), mesh.ErrMalformed)
	} else if !last {
		return nil, nil
	}
	a.open = false
	return a.buf, nil
}

// trim lets go of memory that is not used.
func (a *assembly) trim(now time.Time) {
	if !a.open && a.buf != nil && now.Sub(a.used) >= retainFor {
		a.buf = nil
	}
}

var errShort = fmt.Errorf("frame shorter than its header: %w", mesh.ErrMalformed)
