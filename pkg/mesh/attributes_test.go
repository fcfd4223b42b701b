package mesh

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseAttributes(t *testing.T) {
	for _, tt := range []struct {
		in        string
		want      Attributes
		canonical string
	}{
		{"", nil, ""},
		{"  ", nil, ""},
		{"region=eu", Attributes{"region": "eu"}, "region=eu"},
		{
			" version = 2.3.0 , caps = [ pdf , gpu , pdf ] ",
			Attributes{"version": "2.3.0", "caps": "[gpu,pdf]"}, "caps=[gpu,pdf],version=2.3.0",
		},
		{`note="a b",a="b"`, Attributes{"note": "a b", "a": "b"}, `a=b,note="a b"`},
		{`a=["x,y",b],c=[],d="]"`, Attributes{"a": `[b,"x,y"]`, "c": "[]", "d": "]"}, `a=[b,"x,y"],c=[],d="]"`},
		{"path=/a:b?c", Attributes{"path": "/a:b?c"}, "path=/a:b?c"},
		{tests(MaxAttributes), attributesOf(MaxAttributes), tests(MaxAttributes)},
	} {
		got, err := ParseAttributes(tt.in)
		if err != nil || !reflect.DeepEqual(got, tt.want) || got.String() != tt.canonical || ValidAttributes(got) != nil {
			t.Errorf("ParseAttributes(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
		again, err := ParseAttributes(got.String())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%q is read back as %q, %v", got, again, err)
		}
	}
}

// attributesOf gives the attributes of tests(n).
func attributesOf(n int) Attributes {
	a := make(Attributes)
	for i := range n {
		a[fmt.Sprintf("a%03d", i)] = "1"
	}
	return a
}

func TestAttributeErrors(t *testing.T) {
	for _, tt := range []struct {
		in      string
		column  int
		problem string
	}{
		{"draining", 9, `= and a value are missing after "draining"`},
		{"A=1", 1, `'A' cannot be in the attribute name`},
		{"a=", 3, "a value is missing after ="},
		{"a=1,", 5, "the attribute name is missing"},
		{",a=1", 1, `',' cannot be in the attribute name`},
		{"a=1,a=2", 5, `"a" is given twice: write a=[a,b] for a list`},
		{"a=b c", 5, `unexpected 'c': after a value comes , or the end`},
		{"a=b|c", 4, `unexpected '|'`},
		{"a=[b", 5, "] is missing"},
		{`a="[b]"`, 4, "a value that is no list cannot begin with ["},
		{tests(MaxAttributes + 1), len(tests(MaxAttributes)) + 2, "more than 64 attributes"},
	} {
		got, err := ParseAttributes(tt.in)
		var ae *AddressError
		if !errors.As(err, &ae) || ae.Column != tt.column || !strings.Contains(ae.Problem, tt.problem) || ae.Input != tt.in || got != nil {
			t.Errorf("ParseAttributes(%q) = %v, %v; want column %d: … %s", tt.in, got, err, tt.column, tt.problem)
		}
		if !strings.HasPrefix(err.Error(), "attributes ") {
			t.Error(err)
		}
	}
}

func TestValidAttributes(t *testing.T) {
	for _, a := range []Attributes{
		{"": "x"}, {"a": ""}, {"A": "x"}, {"a b": "x"}, {"a=b,c": "d"}, {"a": "é"}, {"a": "a\tb"}, {"a": `a"b`}, {"a": `a\b`},
		{strings.Repeat("n", MaxName+1): "x"}, {"a": strings.Repeat("x", MaxAttribute+1)},
		{"a": "["}, {"a": "[b"}, {"a": "[b]c"}, {"a": "[b,a]"}, {"a": "[b,b]"}, {"a": "[b, c]"}, {"a": `["b"]`}, {"a": "[b,]"}, {"a": "[[b]]"},
		{"a": "[" + strings.Repeat("x", MaxAttribute-1) + "]"},
		attributesOf(MaxAttributes + 1),
	} {
		if err := ValidAttributes(a); !errors.Is(err, ErrMalformed) {
			t.Errorf("ValidAttributes(%q) = %v", map[string]string(a), err)
		}
	}
	if err := ValidAttributes(Attributes{
		"version": "2.1", "path": "/a:b?c", "note": "a (b), c=d's", "caps": List("pdf", "gpu", "a b", "pdf"), "none": List(),
		"long": strings.Repeat("x", MaxAttribute), "many": "[" + strings.Repeat("x", MaxAttribute-2) + "]",
	}); err != nil {
		t.Error(err)
	}
	for in, want := range map[string]string{"[pdf,gpu]": "write [gpu,pdf]", "[gpu]x": "unexpected 'x'"} {
		if err := ValidAttributes(Attributes{"caps": in}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want … %s", err, want)
		}
	}
}

func TestList(t *testing.T) {
	items := []string{"pdf", "gpu", "a b", "pdf"}
	if got := List(items...); got != `["a b",gpu,pdf]` || items[0] != "pdf" {
		t.Errorf("%s, from %q", got, items)
	}
	if err := ValidAttributes(Attributes{"a": List(`b"c`)}); err == nil {
		t.Error("an item with a quote was accepted")
	}
	if err := ValidAttributes(Attributes{"a": List("")}); err == nil {
		t.Error("an empty item was accepted")
	}
}
