package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// take gives in to a link's intake in pieces, as reads would bring it.
func take(in []byte, piece int) (n *note, received uint64, err error) {
	n = new(note)
	l := New(DefaultConfig(), newPipe(wide), newPipe(1), wide, n)
	it := &intake{l: l}
	var buf []byte
	for len(in) > 0 && err == nil {
		k := min(len(in), piece)
		buf, in = append(buf, in[:k]...), in[k:]
		var left int
		left, err = it.take(buf, l.start)
		buf = bytes.Clone(buf[len(buf)-left:])
		for _, a := range it.lanes {
			if cap(a.buf) > len(a.buf)+growBy+8<<10 {
				panic(fmt.Sprintf("%d bytes allocated for %d that arrived", cap(a.buf), len(a.buf)))
			}
		}
	}
	return n, l.received, err
}

// FuzzIntake: whatever comes, in whatever pieces, nothing panics, no more is
// allocated than what arrived and a step, every frame byte costs credit, and
// the same comes out as when it comes at once.
func FuzzIntake(f *testing.F) {
	frame := mesh.AppendFrame(nil, &mesh.HopHeader{Seq: 7}, []byte("envelope"), []byte("proof"))
	var seed []byte
	add := func(kind Kind, body []byte) { seed = appendUnit(seed, kind, body) }
	add(KindFrame, frame)
	add(KindFragment, slices.Concat([]byte{2, flagFirst, 0, 0, 0, byte(len(frame))}, frame[:40]))
	add(KindAnswers, (&mesh.Answer{Seq: 3, Status: mesh.StatusOK, Body: []byte("b")}).Append(nil))
	add(KindFragment, slices.Concat([]byte{2, flagLast}, frame[40:]))
	add(KindFragment, slices.Concat([]byte{3, flagFirst | flagLast, 0, 0, 0, byte(len(frame))}, frame))
	add(KindPing, make([]byte, 8))
	add(KindBye, nil)
	add(99, []byte("later"))
	f.Add(seed, uint8(1))
	f.Add(seed, uint8(13))
	f.Add(binary.BigEndian.AppendUint32(nil, maxUnit), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, piece uint8) {
		whole, paid, err := take(in, max(1, len(in)))
		parts, paid2, err2 := take(in, int(piece)+1)
		if err != nil && err2 != nil {
			return // how much was handed on before the breach depends on the reads
		}
		if err != err2 || paid != paid2 || paid > uint64(len(in)) || !slices.Equal(whole.events, parts.events) ||
			!slices.EqualFunc(whole.frames, parts.frames, bytes.Equal) || len(whole.answers) != len(parts.answers) {
			t.Errorf("at once: %q %d %v\nin parts: %q %d %v", whole.events, paid, err, parts.events, paid2, err2)
		}
		size := uint64(0)
		for _, b := range whole.frames {
			size += uint64(len(b))
		}
		if size > paid {
			t.Errorf("%d bytes of frames for %d of credit", size, paid)
		}
	})
}

// A frame that is only announced costs no memory before its bytes come.
func TestAnnouncedFrameCostsNothing(t *testing.T) {
	var a assembly
	head := binary.BigEndian.AppendUint32(nil, mesh.MaxFrame)
	if _, err := a.add(flagFirst, append(head, 1)); err != nil {
		t.Fatal(err)
	}
	for arrived := 1; arrived < 500<<10; {
		n := min(1000, arrived)
		if _, err := a.add(0, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		arrived += n
		if cap(a.buf) > arrived+growBy {
			t.Fatalf("%d bytes allocated when %d have arrived", cap(a.buf), arrived)
		}
	}
}

// The memory of a large frame serves the next one, and goes when none comes.
func TestAssemblyMemoryIsUsedAgain(t *testing.T) {
	n := new(note)
	l := New(DefaultConfig(), newPipe(wide), newPipe(1), wide, n)
	it := &intake{l: l}
	var stream []byte
	for i := range byte(2) {
		body := append([]byte{2, flagFirst | flagLast, 0, 0, 0, 100}, bytes.Repeat([]byte{i}, 100)...)
		stream = appendUnit(stream, KindFragment, body)
	}
	if _, err := it.take(stream, l.start); err != nil {
		t.Fatal(err)
	}
	if len(n.frames) != 2 || n.frames[0][0] != 0 || n.frames[1][0] != 1 {
		t.Fatalf("frames %v", n.frames)
	}
	first := &it.lanes[0].buf[0]
	if _, err := it.take(stream, l.start.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if &it.lanes[0].buf[0] != first {
		t.Error("the memory was not used again")
	}
	if _, err := it.take(appendUnit(nil, KindBye, nil), l.start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if it.lanes[0].buf != nil {
		t.Error("the memory is kept without use")
	}
}
