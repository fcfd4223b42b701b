package mesh

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

func TestHopRefused(t *testing.T) {
	good := sampleHop(t).Append(nil)
	for name, change := range map[string]func(b []byte){
		"length over the field": func(b []byte) { b[32] = HopHeaderLen - 32 },
		"length 255":            func(b []byte) { b[32] = 255 },
		"length 1":              func(b []byte) { b[32] = 1 },
		"no peer ID":            func(b []byte) { clear(b[33:]) },
	} {
		b := append([]byte(nil), good...)
		change(b)
		if _, err := ParseHop(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unbound := (&HopHeader{TTL: 3}).Append(nil)
	if h, err := ParseHop(unbound); err != nil || h.BoundRaw != nil || h.TTL != 3 {
		t.Errorf("unbound: %+v, %v", h, err)
	}
}

// TestPutOverwrites: a header is rewritten in place, nothing of the old stays.
func TestPutOverwrites(t *testing.T) {
	b := sampleHop(t).Append(nil)
	h := HopHeader{TTL: 1}
	h.Put(b)
	if string(b) != string(h.Append(nil)) {
		t.Errorf("left over: %x", b)
	}
}

func TestFrameLengths(t *testing.T) {
	frame := func(n uint32, rest int) []byte {
		b := make([]byte, HopHeaderLen+4+rest)
		binary.BigEndian.PutUint32(b[HopHeaderLen:], n)
		return b
	}
	for _, tt := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"empty", nil, false},
		{"nothing behind the length", frame(0, 0), true},
		{"an envelope of the largest size", frame(MaxEnvelope, MaxEnvelope), true},
		{"and one more", frame(MaxEnvelope+1, MaxEnvelope+1), false},
		{"a length beyond the end", frame(11, 10), false},
		{"a length of 2^31", frame(1<<31, 10), false},
		{"a length of 2^32-1", frame(math.MaxUint32, 10), false},
		{"the largest proof", frame(10, 10+MaxProof), true},
		{"and one more", frame(10, 10+MaxProof+1), false},
	} {
		if _, _, err := SplitFrame(tt.b); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestSplitFrameDoesNotLeak: appending to the envelope leaves the proof alone.
func TestSplitFrameDoesNotLeak(t *testing.T) {
	e, proof := signedEnvelope(t)
	envelope, got, err := SplitFrame(AppendFrame(nil, sampleHop(t), e, proof))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(envelope, 0xee)
	if string(got) != string(proof) {
		t.Error("the proof was overwritten")
	}
}

func TestAnswersInOneFrame(t *testing.T) {
	var b []byte
	for i := range uint64(3) {
		a := Answer{Seq: i, Status: StatusOK, Body: make([]byte, i)}
		b = a.Append(b)
	}
	for i := range uint64(3) {
		a, rest, err := ParseAnswer(b)
		if err != nil || a.Seq != i || len(a.Body) != int(i) {
			t.Fatalf("answer %d: %+v, %v", i, a, err)
		}
		b = rest
	}
	if len(b) != 0 {
		t.Errorf("%d bytes left", len(b))
	}
	for _, n := range []uint32{0, answerHead - 1, MaxAnswer - 3, 1 << 31, math.MaxUint32} {
		b := binary.BigEndian.AppendUint32(nil, n)
		if _, _, err := ParseAnswer(append(b, make([]byte, MaxAnswer)...)); !errors.Is(err, ErrMalformed) {
			t.Errorf("length %d: %v", n, err)
		}
	}
}
