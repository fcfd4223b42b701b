package mesh

import (
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

// TestNoAllocation: a relay reads a frame, and refuses junk, without garbage.
func TestNoAllocation(t *testing.T) {
	frame := golden(t, "frame")
	junk := golden(t, "envelope")[:40]
	sel, attrs := sampleSelector(t)
	for name, f := range map[string]func(){
		"ParseHop":   func() { _, _ = ParseHop(frame) },
		"SplitFrame": func() { _, _, _ = SplitFrame(frame) },
		"ParseView": func() {
			envelope, _, _ := SplitFrame(frame)
			if _, err := ParseView(envelope); err != nil {
				t.Fatal(err)
			}
		},
		"Match": func() {
			if !sel.Match(attrs) {
				t.Fatal(sel.Explain(attrs))
			}
		},
		"Unmet": func() {
			if sel.Unmet(attrs) != 1 {
				t.Fatal("not what is expected")
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

// sampleSelector has every kind of test, and attributes that match all but
// the last preference.
func sampleSelector(t testing.TB) (Selector, Attributes) {
	t.Helper()
	return selector(t, `caps>=[gpu,pdf],caps<=[gpu,pdf,"a b"],caps=[gpu,pdf,"a b"],version^2.1,version~2.3,version>=2.3.0-rc.1,`+
			`region=us|region=eu,mem>=8GiB,mem=8192MiB,!draining,os!=linux;prefer zone=a,disk=ssd`),
		attributes(t, `caps=[gpu,pdf,"a b"],version=2.3.0,region=eu,mem=8GiB,os=bsd,zone=a`)
}

func BenchmarkMatch(b *testing.B) {
	sel, attrs := sampleSelector(b)
	b.ReportAllocs()
	for b.Loop() {
		if !sel.Match(attrs) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkParseSelector(b *testing.B) {
	sel, _ := sampleSelector(b)
	text := strings.Trim(sel.String(), "{}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSelector(text); err != nil {
			b.Fatal(err)
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
