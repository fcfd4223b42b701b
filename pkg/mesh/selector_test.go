package mesh

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func selector(t testing.TB, s string) Selector {
	t.Helper()
	sel, err := ParseSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return sel
}

func attributes(t testing.TB, s string) Attributes {
	t.Helper()
	a, err := ParseAttributes(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// largestSelector has MaxSelector bytes: long texts, and preferences.
func largestSelector() string {
	s := "a=" + strings.Repeat("v", MaxAttribute) + ",b=" + strings.Repeat("v", MaxAttribute) + ";prefer c=" + strings.Repeat("v", MaxAttribute) + ",d="
	return s + strings.Repeat("v", MaxSelector-len(s))
}

// tests gives n tests, without braces.
func tests(n int) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("a%03d=1", i))
	}
	return strings.Join(s, ",")
}

func TestSelectorCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"  ", ""},
		{"gpu", "{gpu}"},
		{"region=eu,os=bsd", "{os=bsd,region=eu}"},
		{"  region = eu ,  os = bsd ", "{os=bsd,region=eu}"},
		// as in version 1 of equalities: by name, where - comes before =
		{"a-b=1,a=1", "{a=1,a-b=1}"},
		{"a=1,a=1", "{a=1}"},
		{"b|a|b", "{a|b}"},
		{"region=us|region=eu,caps>=[pdf, gpu,pdf]", "{caps>=[gpu,pdf],region=eu|region=us}"},
		{"(a,b),c", "{a,b,c}"},
		{"((a))", "{a}"},
		{"(a|b)|c", "{a|b|c}"},
		{"c|(b,a)", "{(a,b)|c}"},
		{"(b|a),c", "{a|b,c}"},
		{"!draining", "{!draining}"},
		{"! draining", "{!draining}"},
		{"!!a", "{a}"},
		{"!!!a", "{!a}"},
		{"!a=b", "{a!=b}"},
		{"!a!=b", "{a=b}"},
		{"!(a=b)", "{a!=b}"},
		{"!(b|a)", "{!(a|b)}"},
		{"!(b,a)", "{!(a,b)}"},
		{"!(!(a,b))", "{a,b}"},
		{"!mem>=8GiB", "{!mem>=8GiB}"},
		{`a="b"`, "{a=b}"},
		{`a="b c"`, `{a="b c"}`},
		{`a="}"`, `{a="}"}`},
		{`a>=["x,y",b]`, `{a>=[b,"x,y"]}`},
		{"a=[]", "{a=[]}"},
		{"a=[b]", "{a=[b]}"},
		{"v^2.1,v~2.1,v<3,v>1", "{v<3,v>1,v^2.1,v~2.1}"},
		{"prefer b=1,a=1", "{prefer b=1,a=1}"},
		{";prefer b=1", "{prefer b=1}"},
		{"x ; prefer   b=1 , a=1", "{x;prefer b=1,a=1}"},
		{"x;prefer b|a,(d,c),!e", "{x;prefer a|b,(c,d),!e}"},
		{"x;prefer a,b,a", "{x;prefer a,b}"},
		{"prefer", "{prefer}"}, // without a blank it is a name
		{"prefer=1", "{prefer=1}"},
		{"preferred,a", "{a,preferred}"},
		{"prefer;prefer prefer", "{prefer;prefer prefer}"},
		{largestSelector(), "{" + largestSelector() + "}"},
		{tests(MaxTests), "{" + tests(MaxTests) + "}"},
		{strings.Repeat("!", MaxDepth) + "a", "{a}"},
	} {
		s, err := ParseSelector(tt.in)
		if err != nil || s.String() != tt.want {
			t.Errorf("%q has the canonical form %q, %v; want %q", tt.in, s, err, tt.want)
			continue
		}
		again, err := ParseAddress("x" + s.String())
		if err != nil || !reflect.DeepEqual(again.Selector, s) {
			t.Errorf("%q is read back as %q, %v", s, again.Selector, err)
		}
		if s.IsZero() != (tt.want == "") || (s == Selector{}) != s.IsZero() {
			t.Errorf("%q: IsZero is %v", tt.in, s.IsZero())
		}
	}
}

func TestSelectorErrors(t *testing.T) {
	for _, tt := range []struct {
		in      string
		column  int
		problem string // a part of it
	}{
		{"=eu", 1, `'=' cannot be in the attribute name`},
		{"Region=eu", 1, `'R' cannot be in`},
		{"{region=eu}", 1, `'{' cannot be in`},
		{strings.Repeat("n", MaxName+1), MaxName + 1, "longer than 128"},
		{"a b", 3, `unexpected 'b': after a test comes , or | or ; or the end`},
		{"a=b c", 5, `unexpected 'c'`},
		{"a&&b", 2, `unexpected '&'`},
		{"a=\u00e9", 3, `'é' cannot begin a value`},
		{"a=b\u00e9", 4, `unexpected 'é'`},
		{"region=eu}", 10, `unexpected '}'`},
		{"region=eu}{", 10, `unexpected '}'`},

		// something is missing
		{"a,", 3, "a test such as region=eu is missing"},
		{",a", 1, "a test such as region=eu is missing"},
		{"a||b", 3, "a test such as region=eu is missing"},
		{"!", 2, "a test such as region=eu is missing"},
		{"()", 2, "a test such as region=eu is missing"},
		{"a=", 3, "a value is missing after ="},
		{"mem>=", 6, "a value is missing after >="},
		{"mem>= ,a", 7, "a value is missing after >="},
		{"a!=|b", 4, "a value is missing after !="},
		{`a=""`, 4, "a value is missing after ="},
		{"a=[b,]", 6, "a value is missing after ,"},
		{"a=[,b]", 4, "a value is missing after ["},
		{"a=[b", 5, "] is missing for the [ in column 3"},
		{"a=[b|c]", 5, "] is missing for the [ in column 3"},
		{"a=[b c]", 6, "unexpected 'c': after an item comes , or ]"},
		{"a=[[b]]", 4, "'[' cannot begin a value"},
		{`a="b`, 5, `" is missing for the " in column 3`},
		{`a="b\"c"`, 5, `'\\' cannot be in a value`},
		{"(a,b", 5, ") is missing for the ( in column 1"},
		{"x,(a|b", 7, ") is missing for the ( in column 3"},
		{"a)", 2, `unexpected ')'`},
		{"(a;prefer b)", 3, `unexpected ';'`},
		{"a;", 3, "the word prefer"},
		{"a;zone=b", 3, "the word prefer"},
		{"a;prefer", 3, "the word prefer"},
		{"a;prefer ", 10, "a test such as region=eu is missing"},
		{"prefer a;prefer b", 9, `unexpected ';'`},
		{"a;prefer b;prefer c", 11, `unexpected ';'`},

		// what could never hold
		{"mem>abc", 5, "abc is no quantity such as 8GiB and no version such as 1.2.3, which > needs"},
		{"caps>=gpu", 7, "gpu is no quantity such as 8GiB, no version such as 1.2.3 and no list such as [a,b], which >= needs"},
		{"caps>[a]", 6, "[a] is a list, for which there are >= and <="},
		{"mem>=8KB", 6, "8KB is no quantity"},
		{"v^abc", 3, "abc is no version such as 2.1 or 2.1.0, which ^ needs"},
		{"v~[2.1]", 3, "[2.1] is no version"},
		{"v=^2.1", 3, "write v^ and the version, without ="},
		{"v = ~2.1", 5, "write v~ and the version, without ="},
		{"region=eu,os=bsd,region=us", 18, "region cannot be both eu and us: write region=eu|region=us for either"},
		{"(a,b=1),(b=2,c)", 9, "b cannot be both 1 and 2"},
		{"a=[b],a=[c]", 7, "a cannot be both [b] and [c]"},
		{"!!(v=2.10,v=2.1)", 11, "v cannot be both 2.10 and 2.1"},

		// bounds
		{tests(MaxTests + 1), len(tests(MaxTests)) + 2, "more than 64 tests"},
		{"a=" + strings.Repeat("x", MaxAttribute+1), 3 + MaxAttribute, "longer than 256"},
		{"a=[" + strings.Repeat("x", MaxAttribute) + "]", 3, "the list is longer than 256"},
		{largestSelector() + "x", MaxSelector + 1, "longer than 1024 bytes"},
		{"a" + strings.Repeat(" ", MaxSelector), MaxSelector + 1, "longer than 1024 bytes"},
		{strings.Repeat("(", MaxDepth+1) + "a", MaxDepth + 1, "more than 16 ( and ! within one another"},
		{strings.Repeat("!", MaxDepth+1) + "a", MaxDepth + 1, "more than 16 ( and !"},
		{"prefer " + tests(MaxPreferences+1), 7 + len(tests(MaxPreferences)) + 2, "more than 16 preferences"},
	} {
		s, err := ParseSelector(tt.in)
		var ae *AddressError
		if !errors.As(err, &ae) || !errors.Is(err, ErrMalformed) || ae.Column != tt.column || !strings.Contains(ae.Problem, tt.problem) ||
			ae.Input != tt.in || ae.What != "selector" || !s.IsZero() {
			t.Errorf("ParseSelector(%q) = %v, %v; want column %d: … %s", tt.in, s, err, tt.column, tt.problem)
		}
	}
	// depth counts what is open, not what has been
	if _, err := ParseSelector(strings.Repeat("(a),", MaxDepth) + "!b,(!c)"); err != nil {
		t.Error(err)
	}
}

func TestSelectorMatch(t *testing.T) {
	a := attributes(t, `caps=[gpu,pdf],mem=8GiB,note="a b",os=bsd,region=eu,share=0.25,version=2.10.3`)
	for in, want := range map[string]bool{
		"":                          true,
		"os":                        true,
		"gpu":                       false,
		"!gpu":                      true,
		"!os":                       false,
		"os=bsd":                    true,
		"os=BSD":                    false,
		"os!=bsd":                   false,
		"os!=linux":                 true,
		"gpu!=linux":                true, // absent
		"gpu=linux":                 false,
		`note="a b"`:                true,
		"os=bsd,region=eu":          true,
		"os=bsd,region=us":          false,
		"region=eu|region=us":       true,
		"region=ap|region=us":       false,
		"os=linux|os=bsd,region=eu": true, // (os=linux|os=bsd),region=eu
		"os=bsd|gpu,gpu":            false,
		"os=bsd|(gpu,gpu=1)":        true,
		"!(os=bsd,gpu)":             true,
		"!(os=bsd|gpu)":             false,

		"mem>=8GiB":   true,
		"mem>8GiB":    false,
		"mem<=8GiB":   true,
		"mem<8GiB":    false,
		"mem>8GB":     true,
		"mem<8.5GiB":  true,
		"mem>=9G":     false,
		"mem=8192MiB": true,
		"mem!=8Gi":    false,
		"mem=8G":      false,
		"mem>=[a]":    false, // of another sort
		"mem>1.2.3":   false,
		"mem^1":       false,
		"os>1":        false,
		"os<1":        false,
		"gpu>1":       false,
		"!gpu>1":      true,
		"caps>1":      false,
		"share<0.5":   true,
		"share>0.2":   true,
		"share=0.250": false, // byte by byte

		"caps>=[gpu]":         true,
		"caps>=[pdf,gpu]":     true,
		"caps>=[gpu,ocr]":     false,
		"caps>=[]":            true,
		"gpu>=[]":             false,
		"caps<=[gpu]":         false,
		"caps<=[gpu,ocr,pdf]": true,
		"caps=[pdf,gpu]":      true,
		"caps=[gpu]":          false,
		"caps=[gpu,ocr,pdf]":  false,
		"caps!=[gpu]":         true,
		"caps=gpu":            false,
		"os>=[bsd]":           true, // a list of one
		"os=[bsd]":            true,
		"os<=[bsd,linux]":     true,
		"os<=[linux]":         false,
		"mem=[8192MiB]":       false, // items are compared byte by byte

		"version^2.1":     true,
		"version^2.11":    false,
		"version^3":       false,
		"version~2.10":    true,
		"version~2.9":     false,
		"version>=2.9":    true, // 2.10.3 is no quantity, so both are versions
		"version<2.9.0":   false,
		"version=2.10.3":  true,
		"version=2.10":    false,
		"version!=2.10.3": false,
	} {
		s, err := ParseSelector(in)
		if err != nil || s.Match(a) != want {
			t.Errorf("%q matches %v: %v, want %v (%v)", in, a, s.Match(a), want, err)
		}
		if why := s.Explain(a); (why == "") != s.Match(a) {
			t.Errorf("%q matches %v: %v, and is explained by %q", in, a, s.Match(a), why)
		}
	}
}

// TestEquality: lists as sets, a plain text as a list of one, amounts as amounts.
func TestEquality(t *testing.T) {
	for _, tt := range []struct {
		sel, attrs string
		want       bool
	}{
		{"caps=gpu", "caps=[gpu]", true},
		{"caps=gpu", "caps=[gpu,pdf]", false},
		{"caps=[]", "caps=[]", true},
		{"caps=[]", "caps=gpu", false},
		{"mem=[8GiB],mem=8192MiB", "mem=8GiB", true}, // no contradiction
		{"n=1.5k", "n=1500", true},
		{"n=1500", "n=1.5kB", true},
		{"n=1500", "n=1500.0", false}, // may be a version
		{"n=1500.0", "n=1500", false},
		{"n=1500.0", "n=1500.0", true},
		{"n=01", "n=1", false},
		{"caps>=[gpu]", "caps=[]", false},
		{"caps<=[gpu]", "caps=[]", true},
		{`caps>=["a,b"]`, `caps=["a,b",c]`, true},
		{"caps>=[a]", `caps=["a,b",c]`, false},
		{`caps>=["a,b"]`, `caps="a,b"`, true},
	} {
		if got := selector(t, tt.sel).Match(attributes(t, tt.attrs)); got != tt.want {
			t.Errorf("%s matches %s: %v", tt.sel, tt.attrs, got)
		}
	}
}

func TestPreferences(t *testing.T) {
	s := selector(t, "os=bsd;prefer zone=a,disk=ssd|disk=nvme,mem>=8GiB")
	for attrs, want := range map[string]int{
		"zone=a,disk=ssd,mem=9GiB":  0,
		"zone=a,disk=nvme,mem=8GiB": 0,
		"zone=a,disk=ssd":           1,
		"zone=a,mem=8GiB":           2,
		"zone=a":                    3,
		"zone=b,disk=ssd,mem=9GiB":  4, // the first weighs more than the rest
		"":                          7,
		"os=linux,zone=a":           3, // what is required has no say
	} {
		if got := s.Unmet(attributes(t, attrs)); got != want {
			t.Errorf("unmet of %q is %d, want %d", attrs, got, want)
		}
	}
	if s.Match(attributes(t, "zone=a,disk=ssd,mem=9GiB")) || !s.Match(attributes(t, "os=bsd")) {
		t.Error("a preference decides on a match")
	}
	if r := s.Require(); r.String() != "{os=bsd}" || r.Prefers() || !s.Prefers() || r.Unmet(nil) != 0 {
		t.Errorf("required is %v", r)
	}
	if r := selector(t, "prefer a").Require(); !r.IsZero() {
		t.Errorf("required is %v", r)
	}
	if !selector(t, "prefer a").Match(nil) || (Selector{}).Prefers() || (Selector{}).Unmet(nil) != 0 {
		t.Error("preferences alone require nothing")
	}
	most := selector(t, "prefer "+tests(MaxPreferences))
	if got := most.Unmet(nil); got != 1<<MaxPreferences-1 {
		t.Errorf("unmet is %d", got)
	}
}

func TestAnd(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"", "", ""},
		{"region=eu", "", "{region=eu}"},
		{"", "region=eu;prefer a", "{region=eu;prefer a}"},
		{"region=eu", "os=bsd", "{os=bsd,region=eu}"},
		{"region=eu", "region=eu", "{region=eu}"},
		{"b|a", "d,c", "{a|b,c,d}"},
		{"prefer a", "prefer b,a", "{prefer a,b}"},
		{"x;prefer a", "y;prefer (b,c)", "{x,y;prefer a,(b,c)}"},
		{"prefer", "prefer prefer", "{prefer;prefer prefer}"},
	} {
		got, err := selector(t, tt.a).And(selector(t, tt.b))
		if err != nil || got.String() != tt.want {
			t.Errorf("%q and %q is %q, %v; want %q", tt.a, tt.b, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ a, b, problem string }{
		{"region=eu", "region=us,os=bsd", "region cannot be both"},
		{tests(MaxTests), "b", "more than 64 tests"},
		{largestSelector(), "b", "longer than 1024"},
		{"prefer " + tests(MaxPreferences), "prefer b", "more than 16 preferences"},
	} {
		got, err := selector(t, tt.a).And(selector(t, tt.b))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.problem) || !got.IsZero() {
			t.Errorf("%q and %q is %q, %v; want … %s", tt.a, tt.b, got, err, tt.problem)
		}
	}
}

func TestExplain(t *testing.T) {
	a := attributes(t, `caps=[gpu],draining=yes,region=ap,version=1.9,long=`+strings.Repeat("x", MaxAttribute))
	for in, want := range map[string]string{
		"":                              "",
		"region=ap;prefer gpu":          "",
		"version^2.1":                   "version is 1.9, wanted ^2.1",
		"mem>=8GiB":                     "mem is missing, wanted >=8GiB",
		"gpu":                           "gpu is missing",
		"!draining":                     "draining is yes, wanted none",
		"region=eu":                     "region is ap, wanted eu",
		"region!=ap":                    "region is ap, wanted !=ap",
		"!version<2":                    "version is 1.9, wanted not <2",
		"caps>=[gpu,pdf],region=eu":     "caps is [gpu], wanted >=[gpu,pdf]", // the first of two
		"region=us|region=eu":           "region is ap, wanted eu or us",
		`region="a b"`:                  `region is ap, wanted "a b"`,
		"disk=ssd|region=eu":            "disk is missing, wanted ssd, and region is ap, wanted eu",
		"gpu|gpu=1":                     "gpu is missing, and gpu is missing, wanted 1",
		"!(region=ap|gpu)":              "!(gpu|region=ap) does not hold",
		"gpu|(caps>=[gpu],version^2.1)": "version is 1.9, wanted ^2.1, and gpu is missing",
		"long=y":                        "long is " + strings.Repeat("x", 64) + "…, wanted y",
	} {
		if got := selector(t, in).Explain(a); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
