package mesh

import (
	"slices"
	"strings"
)

// Selector is the predicate on attributes that an address may carry: what a
// provider must be, and what is preferred among those. It never changes, and
// the zero Selector takes every provider. Equal selectors have equal Strings;
// == compares nothing of use but with zero. docs/selectors.md has the grammar.
type Selector struct{ c *compiled }

type compiled struct {
	require expr
	prefers []expr // the most important first
	text    string // canonical, with braces
}

// ParseSelector reads "version^2.1,region=eu|region=us;prefer zone=a", which
// is without braces; empty takes all. Errors are *AddressError.
func ParseSelector(s string) (Selector, error) {
	p := &scanner{in: s, what: "selector"}
	if p.blanks(); p.pos == len(s) {
		return Selector{}, nil
	}
	sel, err := p.selector()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return Selector{}, err
	}
	return sel, nil
}

func newSelector(require expr, prefers []expr) Selector {
	if require.op == always && len(prefers) == 0 {
		return Selector{}
	}
	text := require.text
	if len(prefers) > 0 {
		text += ";"
	}
	text = strings.TrimPrefix(text+preferText(prefers), ";")
	return Selector{&compiled{require, prefers, "{" + text + "}"}}
}

const prefer = "prefer"

func preferText(prefers []expr) string {
	if len(prefers) == 0 {
		return ""
	}
	texts := make([]string, len(prefers))
	for i := range prefers {
		texts[i] = prefers[i].operand()
	}
	return prefer + " " + strings.Join(texts, ",")
}

// IsZero reports that the selector asks for nothing.
func (s Selector) IsZero() bool { return s.c == nil }

// String is the canonical form with braces, empty for the zero Selector.
func (s Selector) String() string {
	if s.c == nil {
		return ""
	}
	return s.c.text
}

// Match reports whether the attributes are all that is required. It does not
// look at preferences, and does not allocate.
func (s Selector) Match(a Attributes) bool { return s.c == nil || s.c.require.holds(a) }

// Prefers reports that the selector has preferences.
func (s Selector) Prefers() bool { return s.c != nil && len(s.c.prefers) > 0 }

// Unmet ranks attributes by the preferences: 0 when all are met, and lower is
// better. A preference weighs more than all that come after it together. It
// does not look at what is required, and does not allocate.
func (s Selector) Unmet(a Attributes) int {
	if s.c == nil {
		return 0
	}
	rank := 0
	for i := range s.c.prefers {
		rank <<= 1
		if !s.c.prefers[i].holds(a) {
			rank |= 1
		}
	}
	return rank
}

// Require is the selector without its preferences.
func (s Selector) Require() Selector {
	if !s.Prefers() {
		return s
	}
	return newSelector(s.c.require, nil)
}

// And requires what both require; its preferences are those of s, then those
// of other. It is an *AddressError when the two cannot both hold, or are over
// the bounds together.
func (s Selector) And(other Selector) (Selector, error) {
	switch {
	case s.c == nil:
		return other, nil
	case other.c == nil:
		return s, nil
	}
	// either may require nothing
	text := strings.Trim(s.c.require.text+","+other.c.require.text, ",")
	if prefers := slices.Concat(s.c.prefers, other.c.prefers); len(prefers) > 0 {
		text += ";" + preferText(prefers)
	}
	return ParseSelector(text)
}
