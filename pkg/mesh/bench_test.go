package mesh

import (
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

// TestNoAllocation: a relay reads a frame, and refuses junk, without garbage.
func TestNoAllocation(t *testing.T) {
	frame := golden(t, "frame")
	junk := golden(t, "envelope")[:40]
	for name, f := range map[string]func(){
		"ParseHop":   func() { _, _ = ParseHop(frame) },
		"SplitFrame": func() { _, _, _ = SplitFrame(frame) },
		"ParseView": func() {
			envelope, _, _ := SplitFrame(frame)
			if _, err := ParseView(envelope); err != nil {
				t.Fatal(err)
			}
		},
		"ParseView of junk": func() {
			if _, err := ParseView(junk); err == nil {
				t.Fatal("junk was accepted")
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkParseView(b *testing.B) {
	envelope, _ := signedEnvelope(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseView(envelope); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeEnvelope(b *testing.B) {
	envelope, _ := signedEnvelope(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeEnvelope(envelope); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e := sampleEnvelope(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key, _ := identity(b, 1)
	envelope, _ := signedEnvelope(b)
	for b.Loop() {
		if _, err := SignEnvelope(key, envelope); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	envelope, proof := signedEnvelope(b)
	v, err := ParseView(envelope)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := VerifyEnvelope(peer.ID(v.Origin), envelope, proof); err != nil {
			b.Fatal(err)
		}
	}
}
