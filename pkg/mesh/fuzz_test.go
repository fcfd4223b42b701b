package mesh

import (
	"bytes"
	"reflect"
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
	for _, s := range []string{"", "region=eu", "os=bsd,region=eu", "a=b,", "a=}", "=", "a=b}c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sel, err := ParseSelector(s)
		if err != nil {
			if column := err.(*AddressError).Column; column < 1 || column > len(s)+1 {
				t.Errorf("column %d of %q", column, s)
			}
			return
		}
		attrs := make(Attributes)
		for _, term := range sel {
			attrs[term.Name] = term.Value
		}
		if !sel.Match(attrs) || ValidAttributes(attrs) != nil {
			t.Errorf("%q is read as %+v, which does not match itself", s, sel)
		}
		a, err := ParseAddress("x" + sel.String())
		if err != nil || a.Selector.String() != sel.String() {
			t.Errorf("%q: as a part of an address: %+v, %v", s, a, err)
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
