package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const readSize = 64 << 10

// reader parses what comes and hands it on in batches: one call for all the
// frames of a read.
func (l *Link) reader() error {
	in := &intake{l: l, buf: make([]byte, readSize)}
	used := 0
	for {
		n, err := l.r.Read(in.buf[used:])
		used += n
		if n > 0 {
			l.progress(n)
			left, perr := in.take(in.buf[:used])
			if perr != nil {
				return perr
			}
			used = copy(in.buf, in.buf[used-left:used])
		}
		if err != nil {
			if err == io.EOF {
				return fmt.Errorf("the neighbour closed the link: %w", err)
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
	lanes   [4]assembly
}

// take handles every whole unit of b and tells how many bytes are left.
func (in *intake) take(b []byte) (left int, err error) {
	l := in.l
	for {
		k, body, n, err := nextUnit(b)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			in.flush()
			return len(b), nil
		}
		b = b[n:]
		switch k {
		case KindFrame:
			in.frames = append(in.frames, Frame{body, n})
		case KindFragment:
			if err := in.fragment(body, n); err != nil {
				return 0, err
			}
		case KindAnswers:
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
			l.number(k, binary.BigEndian.Uint64(body))
		case KindGraft, KindWithdraw:
			in.flush()
			if err := in.name(k, body); err != nil {
				return 0, err
			}
		case KindBye:
			in.flush()
			l.h.Bye(l)
		default: // of a later version
		}
	}
}

func (in *intake) fragment(body []byte, n int) error {
	if len(body) < fragmentHead || body[0] > 3 {
		return fmt.Errorf("fragment: %w", mesh.ErrMalformed)
	}
	a := &in.lanes[body[0]]
	if body[1]&flagFirst != 0 {
		a.size = 0
	}
	a.size += n
	whole, err := a.add(body[1], body[fragmentHead:])
	if err != nil || whole == nil {
		return err
	}
	in.frames = append(in.frames, Frame{whole, a.size})
	in.flush() // the buffer is used again
	a.trim()
	return nil
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

func (in *intake) flush() {
	l := in.l
	if len(in.frames) > 0 {
		l.mu.Lock()
		l.stats.FramesIn += uint64(len(in.frames))
		l.mu.Unlock()
		l.h.Frames(l, in.frames)
		in.frames = in.frames[:0]
	}
	if len(in.answers) > 0 {
		l.h.Answers(l, in.answers)
		in.answers = in.answers[:0]
	}
}

// number handles the units that carry one number.
func (l *Link) number(k Kind, v uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch k {
	case KindCredit:
		if v > l.granted {
			l.granted = v
			l.beat.noCredit = time.Time{}
			l.ready.Signal()
		}
	case KindPing:
		if len(l.control) < l.cfg.MaxControl {
			l.control = appendUnit64(l.control, KindPong, v)
			l.ready.Signal()
		}
	case KindPong:
		l.beat.pong(v, l.cfg.Now())
	}
}
