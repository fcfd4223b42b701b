package mesh

import (
	"slices"
	"strings"
)

// Attributes describe a provider: name to value. Names are of [a-z0-9._-],
// values of printable bytes without , { } = @ and quotes.
type Attributes map[string]string

// Term demands that an attribute has a value.
type Term struct{ Name, Value string }

// Selector is the predicate on attributes that an address may carry: the
// provider must have every one of these values. The terms are sorted by name.
type Selector []Term

// ParseSelector reads "region=eu,os=bsd" (without braces); empty matches all.
func ParseSelector(s string) (Selector, error) {
	if s == "" {
		return nil, nil
	}
	p := &scanner{in: s}
	sel, err := p.terms()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	return sel, nil
}

// Match reports whether the attributes satisfy the selector.
func (s Selector) Match(a Attributes) bool {
	for _, t := range s {
		if v, ok := a[t.Name]; !ok || v != t.Value {
			return false
		}
	}
	return true
}

// String is the canonical form with braces, empty for no terms.
func (s Selector) String() string {
	if len(s) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, t := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(t.Name + "=" + t.Value)
	}
	b.WriteByte('}')
	return b.String()
}

// Sort puts the terms in canonical order.
func (s Selector) Sort() {
	slices.SortFunc(s, func(a, b Term) int { return strings.Compare(a.Name, b.Name) })
}

// And demands both selectors; an attribute with two values is an error.
func (s Selector) And(other Selector) (Selector, error) {
	out := slices.Clone(s)
	for _, t := range other {
		if i := slices.IndexFunc(out, func(o Term) bool { return o.Name == t.Name }); i < 0 {
			out = append(out, t)
		} else if out[i].Value != t.Value {
			return nil, &AddressError{Input: other.String(), Column: 1, Problem: t.Name + " cannot be both " + out[i].Value + " and " + t.Value}
		}
	}
	out.Sort()
	return out, nil
}

func valueByte(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune(`,{}=@"'`, rune(c))
}

// ValidAttributes checks names, values and their number.
func ValidAttributes(a Attributes) error {
	if len(a) > MaxAttributes {
		return &AddressError{Column: 1, Problem: "more than 64 attributes"}
	}
	for k, v := range a {
		s, err := ParseSelector(k + "=" + v)
		if err != nil {
			return err
		}
		if len(s) != 1 || s[0] != (Term{k, v}) {
			return &AddressError{Input: k + "=" + v, Column: 1, Problem: "not one name and one value"}
		}
	}
	return nil
}

// selector reads {name=value,…}.
func (p *scanner) selector() (Selector, error) {
	open := p.pos
	p.pos++ // {
	sel, err := p.terms()
	switch {
	case err != nil:
		return nil, err
	case p.pos == len(p.in):
		return nil, p.errorf(p.pos, "} is missing for the { in column %d", open+1)
	case p.peek() != '}':
		return nil, p.end()
	}
	p.pos++
	return sel, nil
}

// terms reads name=value,… as far as it goes.
func (p *scanner) terms() (Selector, error) {
	var sel Selector
	for {
		at := p.pos
		name, err := p.name("attribute name")
		if err != nil {
			return nil, err
		}
		if p.peek() != '=' {
			return nil, p.errorf(p.pos, "= is missing after %q", name)
		}
		p.pos++
		start := p.pos
		for valueByte(p.peek()) {
			p.pos++
		}
		switch n := p.pos - start; {
		case n == 0:
			return nil, p.errorf(start, "a value is missing for %q", name)
		case n > MaxAttribute:
			return nil, p.errorf(start+MaxAttribute, "the value is longer than %d characters", MaxAttribute)
		}
		i, found := slices.BinarySearchFunc(sel, name, func(t Term, n string) int { return strings.Compare(t.Name, n) })
		if found {
			return nil, p.errorf(at, "%q is given twice", name)
		}
		if len(sel) == MaxAttributes {
			return nil, p.errorf(at, "more than %d attributes", MaxAttributes)
		}
		sel = slices.Insert(sel, i, Term{name, p.in[start:p.pos]})
		if p.peek() != ',' {
			return sel, nil
		}
		p.pos++
	}
}
