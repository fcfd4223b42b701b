package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const (
	readSize = 64 << 10
	// maxEmptyReads without an error, as in bufio: the stream is broken.
	maxEmptyReads = 100
)

// reader parses what comes and hands it on in batches: one call for all the
// frames of a read.
func (l *Link) reader() error {
	in := &intake{l: l, buf: make([]byte, readSize)}
	used, empty := 0, 0
	for {
		n, err := l.r.Read(in.buf[used:])
		used += n
		if n > 0 {
			left, perr := in.take(in.buf[:used], l.cfg.Now())
			if perr != nil {
				return perr
			}
			used = copy(in.buf, in.buf[used-left:used])
		} else if empty++; err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		if err != nil {
			if err == io.EOF && used == 0 && !in.lanes[0].open && !in.lanes[1].open {
				return fmt.Errorf("the neighbour closed the link: %w", err)
			}
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read: %w", err)
		}
	}
}

// intake is the reader's scratch.
type intake struct {
	l       *Link
	buf     []byte
	frames  []Frame
	answers []mesh.Answer
	lanes   [2]assembly // requests; the rest
	now     time.Time   // of the read
	size    int         // bytes of units since the last flush
	payload int         // frame bytes among them
	unknown uint64
	acks    bool // among them is one that shows that the neighbour reads
}

// take handles every whole unit of b and tells how many bytes are left.
func (in *intake) take(b []byte, now time.Time) (left int, err error) {
	l := in.l
	in.now = now
	for {
		k, body, n, err := nextUnit(b)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			if err := in.flush(); err != nil {
				return 0, err
			}
			for i := range in.lanes {
				in.lanes[i].trim(now)
			}
			return len(b), nil
		}
		b = b[n:]
		in.size += n
		switch k {
		case KindFrame:
			if len(body) < mesh.HopHeaderLen+4 {
				return 0, errShort
			}
			if len(body) > maxBody {
				return 0, fmt.Errorf("frame of %d bytes in one unit: %w", len(body), mesh.ErrTooLarge)
			}
			in.payload += len(body)
			in.frames = append(in.frames, Frame{body[:len(body):len(body)], len(body)})
		case KindFragment:
			if err := in.fragment(body); err != nil {
				return 0, err
			}
		case KindAnswers:
			in.acks = true
			if len(body) == 0 {
				return 0, fmt.Errorf("unit of answers without one: %w", mesh.ErrMalformed)
			}
			for len(body) > 0 {
				var a mesh.Answer
				if a, body, err = mesh.ParseAnswer(body); err != nil {
					return 0, err
				}
				in.answers = append(in.answers, a)
			}
		case KindCredit, KindPing, KindPong:
			if len(body) != 8 {
				return 0, fmt.Errorf("unit of kind %d: %w", k, mesh.ErrMalformed)
			}
			in.acks = in.acks || k != KindPing
			l.number(k, binary.BigEndian.Uint64(body), now)
		case KindGraft, KindWithdraw:
			if err := in.flush(); err != nil {
				return 0, err
			}
			if err := in.name(k, body); err != nil {
				return 0, err
			}
		case KindBye:
			if len(body) != 0 {
				return 0, fmt.Errorf("bye with a body: %w", mesh.ErrMalformed)
			}
			if err := in.flush(); err != nil {
				return 0, err
			}
			l.h.Bye(l)
		default: // of a later version
			in.unknown++
		}
	}
}

func (in *intake) fragment(body []byte) error {
	if len(body) < fragmentHead || body[0] < 2 || body[0] > 3 || body[1]&^(flagFirst|flagLast) != 0 {
		return fmt.Errorf("fragment of an unknown lane or flag: %w", mesh.ErrMalformed)
	}
	a := &in.lanes[body[0]-2]
	before := len(a.buf)
	if !a.open {
		before = 0
	}
	whole, err := a.add(body[1], body[fragmentHead:])
	if err != nil {
		return err
	}
	in.payload += len(a.buf) - before
	if whole == nil {
		return nil
	}
	in.frames = append(in.frames, Frame{whole, len(whole)})
	a.used = in.now
	return in.flush() // the buffer is used again
}

func (in *intake) name(k Kind, body []byte) error {
	if k == KindGraft {
		s, err := mesh.DecodeGraft(body)
		if err == nil {
			in.l.h.Graft(in.l, s)
		}
		return err
	}
	s, err := mesh.DecodeWithdraw(body)
	if err == nil {
		in.l.h.Withdraw(in.l, s)
	}
	return err
}

// flush counts what came since the last one and hands it on.
func (in *intake) flush() error {
	l := in.l
	if in.size == 0 {
		return nil
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return mesh.ErrNotSent // nothing is handed on after the end
	}
	l.beat.received(in.size, l.cfg.Window, in.now)
	if in.acks {
		l.beat.ack = in.now
	}
	l.movedLocked()
	l.stats.BytesIn += uint64(in.size)
	l.stats.FramesIn += uint64(len(in.frames))
	l.stats.Unknown += in.unknown
	l.received += uint64(in.payload)
	l.grantLocked(in.now)
	l.mu.Unlock()
	in.size, in.payload, in.unknown, in.acks = 0, 0, 0, false
	if len(in.frames)+len(in.answers) == 0 {
		return nil
	}
	l.handling.Store(int64(in.now.Sub(l.start)))
	if len(in.frames) > 0 {
		l.h.Frames(l, in.frames)
		clear(in.frames)
		in.frames = in.frames[:0]
	}
	if len(in.answers) > 0 {
		l.h.Answers(l, in.answers)
		clear(in.answers)
		in.answers = in.answers[:0]
	}
	l.handling.Store(-1)
	return nil
}

// number handles the units that carry one number.
func (l *Link) number(k Kind, v uint64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch k {
	case KindCredit:
		if v > l.granted {
			l.granted = v
			if !l.beat.dry.IsZero() {
				l.beat.dry = now // some came; perhaps not yet enough for the next frame
			}
			l.ready.Signal()
		}
	case KindPing:
		l.controlLocked(appendUnit64(nil, KindPong, v))
	case KindPong:
		l.beat.pong(v, now)
		if !l.beat.waiting {
			l.armLocked(l.beat.pingDue(l.inFlight.Load() > 0, l.cfg.Suspect/4, l.cfg.IdlePing))
		}
	}
}
