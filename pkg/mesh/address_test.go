package mesh

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	_, id := identity(t, 1)
	for _, tt := range []struct {
		in        string
		want      Address
		canonical string // empty: as in
	}{
		{in: "orders", want: Service("orders")},
		{in: "a.b_c-9", want: Service("a.b_c-9")},
		{in: strings.Repeat("x", MaxName), want: Service(strings.Repeat("x", MaxName))},
		{in: "orders@blue", want: Address{Kind: KindService, Name: "orders", Network: "blue"}},
		{in: "orders{region=eu}@blue", want: Address{Kind: KindService, Name: "orders", Selector: Selector{{"region", "eu"}}, Network: "blue"}},
		{
			in:        "orders{region=eu,os=bsd}",
			want:      Address{Kind: KindService, Name: "orders", Selector: Selector{{"os", "bsd"}, {"region", "eu"}}},
			canonical: "orders{os=bsd,region=eu}",
		},
		{in: "node:" + id.String(), want: Node(id)},
		{in: "group:lobby", want: Group("lobby")},
	} {
		got, err := ParseAddress(tt.in)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseAddress(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
			continue
		}
		canonical := tt.canonical
		if canonical == "" {
			canonical = tt.in
		}
		if got.String() != canonical {
			t.Errorf("%q has the canonical form %q, want %q", tt.in, got, canonical)
		}
	}
}

func TestAddressErrors(t *testing.T) {
	long := strings.Repeat("x", MaxName)
	for _, tt := range []struct {
		in      string
		column  int
		problem string // a part of it
	}{
		{"", 1, "service name is missing"},
		{"Orders", 1, `'O' cannot be in`},
		{"or ders", 3, `unexpected ' '`},
		{"order\u00e9", 6, `unexpected 'é'`},
		{"\u00e9", 1, `'é' cannot be in`},
		{"a\x00", 2, `unexpected '\x00'`},
		{long + "y", MaxName + 1, "longer than 128"},
		{"orders{", 8, "attribute name is missing"},
		{"orders{}", 8, `'}' cannot be in`},
		{"orders{region}", 14, `= is missing after "region"`},
		{"orders{region=}", 15, `a value is missing for "region"`},
		{"orders{region=eu", 17, "} is missing for the { in column 7"},
		{"orders{region=eu,}", 18, `'}' cannot be in`},
		{"orders{region=eu,region=us}", 18, `"region" is given twice`},
		{"orders{region=eu}x", 18, `unexpected 'x'`},
		{"orders{region=a b}", 16, `unexpected ' '`},
		{"orders{v=" + strings.Repeat("x", MaxAttribute+1) + "}", 9 + MaxAttribute + 1, "longer than 256"},
		{"orders{" + terms(MaxAttributes+1) + "}", 7 + len(terms(MaxAttributes)) + 2, "more than 64"},
		{"orders@", 8, "network name is missing"},
		{"orders@blue@red", 12, `unexpected '@'`},
		{"@blue", 1, `'@' cannot be in`},
		{"node:", 6, "not a peer ID"},
		{"node:orders", 6, "not a peer ID"},
		{"node:16Uiu2HAmBdQxd7LbJYaAnaxHTrMa4xHCdCCNBfMCm2ThtSAmTC4k", 6, "not a peer ID"}, // a secp256k1 key, which no frame can carry
		{"group:", 7, "group name is missing"},
		{"group:lobby{a=b}", 12, `unexpected '{'`},
		{"group:lobby@blue", 12, `unexpected '@'`},
		{"topic:lobby", 6, `unexpected ':'`},
	} {
		a, err := ParseAddress(tt.in)
		var ae *AddressError
		switch {
		case !errors.As(err, &ae) || !errors.Is(err, ErrMalformed):
			t.Errorf("ParseAddress(%q) = %+v, %v; want an AddressError", tt.in, a, err)
		case ae.Column != tt.column || !strings.Contains(ae.Problem, tt.problem):
			t.Errorf("ParseAddress(%q): %v; want column %d: … %s", tt.in, err, tt.column, tt.problem)
		case !reflect.DeepEqual(a, Address{}):
			t.Errorf("ParseAddress(%q) = %+v with an error", tt.in, a)
		}
	}
}

// terms gives n attributes, without braces.
func terms(n int) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("a%03d=1", i))
	}
	return strings.Join(s, ",")
}

func TestSelectorErrors(t *testing.T) {
	for _, tt := range []struct {
		in      string
		column  int
		problem string
	}{
		{"region", 7, "= is missing"},
		{"=eu", 1, `'=' cannot be in`},
		{"region=", 8, "a value is missing"},
		{"region=eu,", 11, "attribute name is missing"},
		{"region=eu,region=us", 11, "given twice"},
		{"region=eu}", 10, `unexpected '}'`},
		{"region=eu}{", 10, `unexpected '}'`},
		{"region=eu,os=b\"d", 15, `unexpected '"'`},
		{"{region=eu}", 1, `'{' cannot be in`},
		{"Region=eu", 1, `'R' cannot be in`},
	} {
		s, err := ParseSelector(tt.in)
		var ae *AddressError
		if !errors.As(err, &ae) || ae.Column != tt.column || !strings.Contains(ae.Problem, tt.problem) || ae.Input != tt.in {
			t.Errorf("ParseSelector(%q) = %v, %v; want column %d: … %s", tt.in, s, err, tt.column, tt.problem)
		}
	}
	if s, err := ParseSelector(""); s != nil || err != nil {
		t.Errorf(`ParseSelector("") = %v, %v`, s, err)
	}
}

func TestSelectorMatch(t *testing.T) {
	a := Attributes{"region": "eu", "os": "bsd"}
	for in, want := range map[string]bool{
		"": true, "region=eu": true, "os=bsd,region=eu": true,
		"region=us": false, "region=eu,gpu=1": false, "os=BSD": false,
	} {
		s, err := ParseSelector(in)
		if err != nil || s.Match(a) != want {
			t.Errorf("%q matches %v: %v, want %v (%v)", in, a, s.Match(a), want, err)
		}
	}
	eu, _ := ParseSelector("region=eu")
	us, _ := ParseSelector("region=us,os=bsd")
	if s, err := eu.And(us); err == nil {
		t.Errorf("two regions at once: %v", s)
	}
	bsd, _ := ParseSelector("os=bsd")
	if s, err := eu.And(bsd); err != nil || s.String() != "{os=bsd,region=eu}" {
		t.Errorf("And = %v, %v", s, err)
	}
}

func TestValidAttributes(t *testing.T) {
	for _, a := range []Attributes{
		{"": "x"}, {"a": ""}, {"A": "x"}, {"a": "x y"}, {"a": "é"},
		{"a=b,c": "d"}, {"a": "b,c=d"}, {"a": "b}"}, {"a": strings.Repeat("x", MaxAttribute+1)},
	} {
		if err := ValidAttributes(a); !errors.Is(err, ErrMalformed) {
			t.Errorf("ValidAttributes(%q) = %v", a, err)
		}
	}
	if err := ValidAttributes(Attributes{"version": "2.1", "path": "/a:b?c"}); err != nil {
		t.Error(err)
	}
}
