package mesh

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// predicate is a selector as a person thinks of it: in any spelling, and
// evaluated by other means than the package's.
type predicate struct {
	spell func(*rapid.T) string // each call may give another spelling
	holds func(Attributes) bool
}

var (
	names = rapid.SampledFrom([]string{"a", "a-b", "c"})
	words = rapid.SampledFrom([]string{"x", "y", "z"})
	blank = rapid.SampledFrom([]string{"", "", "", " ", "  "})
)

func drawTest(t *rapid.T) predicate {
	name, word, n := names.Draw(t, "name"), words.Draw(t, "word"), rapid.IntRange(0, 3).Draw(t, "n")
	spell := func(parts ...string) func(*rapid.T) string {
		return func(t *rapid.T) string {
			var b strings.Builder
			for _, p := range parts {
				b.WriteString(p + blank.Draw(t, "blank"))
			}
			return b.String()
		}
	}
	switch rapid.IntRange(0, 4).Draw(t, "test") {
	case 0:
		return predicate{spell(name), func(a Attributes) bool { _, ok := a[name]; return ok }}
	case 1:
		return predicate{spell(name, "=", word), func(a Attributes) bool { return a[name] == word || a[name] == "["+word+"]" }}
	case 2:
		return predicate{spell(name, "!=", `"`+word+`"`), func(a Attributes) bool { return a[name] != word && a[name] != "["+word+"]" }}
	case 3:
		return predicate{spell(name, ">=", "[", word, "]"), func(a Attributes) bool {
			return strings.Contains(a[name], word)
		}}
	}
	return predicate{spell(name, ">", fmt.Sprint(n)+"k"), func(a Attributes) bool {
		var have int
		_, err := fmt.Sscanf(a[name], "%d", &have)
		return err == nil && have > 1000*n
	}}
}

func drawPredicate(t *rapid.T, depth int) predicate {
	what := rapid.IntRange(0, 4).Draw(t, "what")
	if depth == 0 || what == 0 {
		return drawTest(t)
	}
	if what == 1 {
		p := drawPredicate(t, depth-1)
		return predicate{
			func(t *rapid.T) string { return "!" + blank.Draw(t, "blank") + "(" + p.spell(t) + ")" },
			func(a Attributes) bool { return !p.holds(a) },
		}
	}
	operands := make([]predicate, rapid.IntRange(1, 3).Draw(t, "operands"))
	for i := range operands {
		operands[i] = drawPredicate(t, depth-1)
	}
	and := what == 2
	sign := "|"
	if and {
		sign = ","
	}
	return predicate{
		func(t *rapid.T) string {
			texts := make([]string, len(operands))
			for i, p := range rapid.Permutation(operands).Draw(t, "order") {
				texts[i] = "(" + blank.Draw(t, "blank") + p.spell(t) + ")"
			}
			return "(" + strings.Join(texts, blank.Draw(t, "blank")+sign) + ")"
		},
		func(a Attributes) bool {
			for _, p := range operands {
				if p.holds(a) != and {
					return !and
				}
			}
			return and
		},
	}
}

func drawAttributes(t *rapid.T) Attributes {
	values := rapid.SampledFrom([]string{"x", "y", "[x]", "[x,y]", "[x,y,z]", "1000", "1500", "3000"})
	return rapid.MapOfN(names, values, 0, 3).Draw(t, "attributes")
}

// read gives false for a predicate over the bounds, or one that no attributes
// satisfy; then none of those drawn do.
func read(t *rapid.T, p predicate) (Selector, bool) {
	text := p.spell(t)
	s, err := ParseSelector(text)
	if err == nil {
		return s, true
	}
	e := err.(*AddressError)
	switch {
	case strings.Contains(e.Problem, "cannot be both"):
		if a := drawAttributes(t); p.holds(a) && !strings.ContainsAny(text, "!|") {
			t.Errorf("%v, and yet %v match", err, a)
		}
	case !strings.Contains(e.Problem, "more than") && !strings.Contains(e.Problem, "longer"):
		t.Errorf("%v\n%s", err, e.Caret())
	}
	return Selector{}, false
}

// TestMeaningIsKept: whatever the spelling, the canonical form is one, and
// matches what the predicate holds for.
func TestMeaningIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPredicate(t, 3)
		s, ok := read(t, p)
		if !ok {
			return
		}
		if again, ok := read(t, p); !ok || again.String() != s.String() {
			t.Errorf("%q, in another spelling, is %q", s, again)
		}
		a := drawAttributes(t)
		if s.Match(a) != p.holds(a) {
			t.Errorf("%q matches %v: %v", s, a, s.Match(a))
		}
		if preferred := selectorOf(t, "prefer ("+strings.Trim(s.String(), "{}")+")"); (preferred.Unmet(a) == 0) != p.holds(a) {
			t.Errorf("%q on %v: %d", preferred, a, preferred.Unmet(a))
		}
	})
}

func selectorOf(t *rapid.T, text string) Selector {
	s, err := ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAndIsBoth: what two selectors require together, each requires.
func TestAndIsBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawPredicate(t, 2), drawPredicate(t, 2)
		s, ok := read(t, p)
		r, ok2 := read(t, q)
		if !ok || !ok2 {
			return
		}
		a := drawAttributes(t)
		both, err := s.And(r)
		if err != nil && p.holds(a) && q.holds(a) {
			t.Errorf("%v, and yet %v match", err, a)
		}
		if err == nil && both.Match(a) != (p.holds(a) && q.holds(a)) {
			t.Errorf("%q matches %v: %v", both, a, both.Match(a))
		}
	})
}
