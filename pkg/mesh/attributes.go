package mesh

import (
	"fmt"
	"strings"
)

// Attributes describe a provider: name to value. Names are of [a-z0-9._-].
// A value has 1 to MaxAttribute bytes of printable ASCII without " and \. One
// that begins with [ is a list, in the form that [List] gives; any other is
// plain text, without quotes.
type Attributes map[string]string

// ParseAttributes reads "caps=[gpu,pdf],version=2.3.0", as on the command
// line. Values that hold a blank or a sign of the grammar are quoted; lists
// may be in any order. Errors are *AddressError.
func ParseAttributes(s string) (Attributes, error) {
	p := &scanner{in: s, what: "attributes"}
	var out Attributes
	for p.blanks(); p.pos < len(s) || len(out) > 0; {
		at := p.pos
		name, err := p.name("attribute name")
		if err != nil {
			return nil, err
		}
		if p.blanks(); p.peek() != '=' {
			return nil, p.errorf(p.pos, "= and a value are missing after %q", name)
		}
		p.take('=')
		v, err := p.value("=")
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = make(Attributes)
		}
		if _, twice := out[name]; twice {
			return nil, p.errorf(at, "%q is given twice: write %s=[a,b] for a list", name, name)
		}
		if len(out) == MaxAttributes {
			return nil, p.errorf(at, "more than %d attributes", MaxAttributes)
		}
		out[name] = v.text
		if !p.take(',') {
			break
		}
	}
	if p.pos < len(s) {
		return nil, p.errorf(p.pos, "unexpected %q: after a value comes , or the end", p.rune(p.pos))
	}
	return out, nil
}

// String is the canonical form, sorted by name: ParseAttributes of it gives
// the same attributes.
func (a Attributes) String() string {
	var b strings.Builder
	for i, k := range sortedKeys(a) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k + "=")
		if v := a[k]; isList(v) {
			b.WriteString(v)
		} else {
			b.WriteString(quoted(v))
		}
	}
	return b.String()
}

// ValidAttributes checks names, values and their number.
func ValidAttributes(a Attributes) error {
	if len(a) > MaxAttributes {
		return fmt.Errorf("%d attributes, at most %d: %w", len(a), MaxAttributes, ErrMalformed)
	}
	for k, v := range a {
		if err := validAttribute(k, v); err != nil {
			return err
		}
	}
	return nil
}

func validAttribute(name, v string) error {
	n := &scanner{in: name, what: "attributes"}
	if _, err := n.name("attribute name"); err != nil {
		return err
	}
	if err := n.end(); err != nil {
		return err
	}
	if isList(v) {
		p := &scanner{in: v, what: "attribute " + name}
		list, err := p.value("=")
		if err != nil {
			return err
		}
		if err := p.end(); err != nil {
			return err
		}
		if list.text != v {
			return p.errorf(0, "a list is sorted, each item once, without blanks: write %s", list.text)
		}
		return nil
	}
	p := &scanner{in: v, what: "attribute " + name}
	for p.pos < len(v) && quotedByte(v[p.pos]) {
		p.pos++
	}
	switch {
	case v == "":
		return p.errorf(0, "the value is missing")
	case len(v) > MaxAttribute:
		return p.errorf(MaxAttribute, "the value is longer than %d characters", MaxAttribute)
	case p.pos < len(v):
		return p.errorf(p.pos, `%q cannot be in a value: use printable ASCII without " and \`, p.rune(p.pos))
	}
	return nil
}
