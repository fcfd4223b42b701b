package mesh

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// The fuzz targets hold that no bytes of a stranger make a decoder panic, and
// what a decoder accepts has the meaning that its encoder gives it.

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"orders", "orders{region=eu,os=bsd}@blue", "group:lobby", sampleEnvelope(f).Address.String(), Node(sampleRecord(f).Provider).String(), "orders{", "a@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			if column := err.(*AddressError).Column; column < 1 || column > len(s)+1 {
				t.Errorf("column %d of %q", column, s)
			}
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || !reflect.DeepEqual(again, a) {
			t.Errorf("%q is read as %+v, its text %q as %+v, %v", s, a, a, again, err)
		}
	})
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{
		"", "region=eu", "os=bsd,region=eu", "a=b,", "a=}", "=", "a=b}c", largestSelector(), tests(MaxTests),
		`caps>=[gpu,"p d"],version^2.1,region=eu|region=us,mem>=8GiB,!draining;prefer zone=a,(disk=ssd,x)`,
		"!(a,(b|!c)),v~1.2.3-rc.1+x", "prefer a",
	} {
		f.Add(s, "os", "bsd")
	}
	f.Add("os>=[a,b]", "os", `["a",b`)
	f.Fuzz(func(t *testing.T, s, name, v string) {
		sel, err := ParseSelector(s)
		if err != nil {
			e := err.(*AddressError)
			if e.Column < 1 || e.Column > len(s)+1 {
				t.Errorf("column %d of %q", e.Column, s)
			}
			_ = e.Caret()
			return
		}
		a, err := ParseAddress("x" + sel.String())
		if err != nil || !reflect.DeepEqual(a.Selector, sel) {
			t.Errorf("%q, as a part of an address: %+v, %v", s, a, err)
		}
		if len(sel.String()) > len(s)+2 {
			t.Errorf("%q has the longer canonical form %q", s, sel)
		}
		attrs := Attributes{name: v, "a": v}
		if again := a.Selector; again.Match(attrs) != sel.Match(attrs) || again.Unmet(attrs) != sel.Unmet(attrs) ||
			sel.Match(attrs) != (sel.Explain(attrs) == "") || sel.Unmet(attrs) >= 1<<MaxPreferences {
			t.Errorf("%q on %q: %v, %d, %q", s, attrs, sel.Match(attrs), sel.Unmet(attrs), sel.Explain(attrs))
		}
		twice, err := sel.And(sel)
		if err == nil && twice.String() != sel.String() || err != nil && !strings.Contains(err.Error(), "more than") && !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%q twice is %q, %v", sel, twice, err)
		}
	})
}

func FuzzParseAttributes(f *testing.F) {
	for _, s := range []string{"", "a=1", `caps=[gpu,"p d"],version=2.3.0`, "a=[", `a="[b]"`, "a=1,a=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAttributes(s)
		if err != nil {
			if column := err.(*AddressError).Column; column < 1 || column > len(s)+1 {
				t.Errorf("column %d of %q", column, s)
			}
			return
		}
		if err := ValidAttributes(a); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if again, err := ParseAttributes(a.String()); err != nil || !reflect.DeepEqual(again, a) {
			t.Errorf("%q is read back as %q, %v", a, again, err)
		}
		for k, v := range a {
			want := plainValue(v)
			if isList(v) {
				want = &value{text: v, isList: true}
			}
			sel, err := ParseSelector(k + "=" + want.String())
			if err != nil || !sel.Match(a) {
				t.Errorf("%q does not match itself: %v, %v", k+"="+want.String(), sel, err)
			}
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	f.Add(golden(f, "envelope"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseView(b)
		agree(t, b)
		e, err := DecodeEnvelope(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatalf("%+v was accepted, and cannot be encoded: %v", e, err)
		}
		if same, err := DecodeEnvelope(again); err != nil || !reflect.DeepEqual(same, e) {
			t.Fatalf("%+v came back as %+v, %v", e, same, err)
		}
	})
}

func FuzzParseHop(f *testing.F) {
	f.Add(golden(f, "hop"))
	f.Add((&HopHeader{}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHop(b)
		if err != nil {
			return
		}
		again, err := decodeHop(h.(*HopHeader).Append(nil))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%+v came back as %+v, %v", h, again, err)
		}
	})
}

func FuzzSplitFrame(f *testing.F) {
	f.Add(golden(f, "frame"))
	f.Fuzz(func(t *testing.T, b []byte) {
		envelope, proof, err := SplitFrame(b)
		if err != nil {
			return
		}
		if len(envelope)+len(proof)+HopHeaderLen+4 != len(b) || !bytes.HasSuffix(b, proof) {
			t.Errorf("%d bytes were split into %d and %d", len(b), len(envelope), len(proof))
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(golden(f, "answer"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			a, rest, err := ParseAnswer(b)
			if err != nil {
				return
			}
			if again := a.Append(nil); !bytes.Equal(append(again, rest...), b) {
				t.Fatalf("%x is read as %+v, which is %x", b, a, again)
			}
			b = rest
		}
	})
}

func FuzzOpenReceipt(f *testing.F) {
	f.Add(golden(f, "receipt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := OpenReceipt(b); err == nil && (!validPeer([]byte(r.Provider)) || len(r.Detail) > MaxDetail || r.Load > 100) {
			t.Errorf("accepted %+v", r)
		}
	})
}

func FuzzOpenRecord(f *testing.F) {
	f.Add(golden(f, "record"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := OpenRecord(b); err == nil && r.check() != nil {
			t.Errorf("accepted %+v", r)
		}
	})
}

func FuzzOpenProbeAnswer(f *testing.F) {
	f.Add(golden(f, "probe-answer"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, load, err := OpenProbeAnswer(b); err == nil && (r.check() != nil || load > 100) {
			t.Errorf("accepted %+v, load %d", r, load)
		}
	})
}

func FuzzDecodeHello(f *testing.F) {
	f.Add(golden(f, "hello"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := DecodeHello(b)
		if err != nil {
			return
		}
		again, err := h.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := DecodeHello(again); err != nil || !reflect.DeepEqual(same, h) {
			t.Errorf("%+v came back as %+v, %v", h, same, err)
		}
	})
}

func FuzzDecodeWelcome(f *testing.F) {
	f.Add(golden(f, "welcome"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := DecodeWelcome(b)
		if err != nil {
			return
		}
		again, err := w.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := DecodeWelcome(again); err != nil || *same != *w {
			t.Errorf("%+v came back as %+v, %v", w, same, err)
		}
	})
}

func FuzzDecodeGraft(f *testing.F) { fuzzService(f, "graft", DecodeGraft, EncodeGraft) }

func FuzzDecodeWithdraw(f *testing.F) { fuzzService(f, "withdraw", DecodeWithdraw, EncodeWithdraw) }

func fuzzService(f *testing.F, name string, decode func([]byte) (string, error), encode func(string) ([]byte, error)) {
	f.Add(golden(f, name))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		service, err := decode(b)
		if err != nil {
			return
		}
		again, err := encode(service)
		if err != nil || len(service) > MaxName {
			t.Fatalf("%q was accepted: %v", service, err)
		}
		if same, err := decode(again); err != nil || same != service {
			t.Errorf("%q came back as %q, %v", service, same, err)
		}
	})
}
