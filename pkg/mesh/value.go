package mesh

import (
	"slices"
	"strings"
)

// value is what a test compares with: plain text, or a list.
type value struct {
	text   string   // plain, or the list in canonical form
	list   []string // of a list: its items, sorted, each once
	isList bool

	// What a plain text may be read as; more than one is possible.
	isNumber, isAmount, isVersion bool
	number                        quantity
	version                       version
}

func plainValue(s string) *value {
	v := &value{text: s}
	var pointed bool
	v.number, pointed, v.isNumber = parseQuantity(s)
	v.isAmount = v.isNumber && !pointed
	v.version, v.isVersion = parseVersion(s)
	return v
}

func listValue(items []string) *value {
	slices.Sort(items)
	items = slices.Compact(items)
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(s))
	}
	b.WriteByte(']')
	return &value{text: b.String(), list: items, isList: true}
}

// String is the value as it is written in a selector.
func (v *value) String() string {
	if v.isList {
		return v.text
	}
	return quoted(v.text)
}

// quoted puts quotes around a text that cannot stand bare.
func quoted(s string) string {
	if s == "" {
		return `""`
	}
	for i := range len(s) {
		if !bareByte(s[i]) {
			return `"` + s + `"`
		}
	}
	return s
}

// bareByte tells what may stand in a value without quotes: printable ASCII
// but the blank and the signs of the grammar.
func bareByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("\"'(),;<=>@[\\]^{|}~!", c) < 0
}

// quotedByte tells what may stand between quotes.
func quotedByte(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// equal compares with an attribute: lists as sets, amounts as amounts, and
// the rest byte by byte. A number with a point and no unit is no amount here,
// since 2.10 and 2.1 may be versions.
func (v *value) equal(have string) bool {
	if v.isList {
		return superset(have, v.list) && subset(have, v.list)
	}
	if isList(have) {
		one := [1]string{v.text} // on the stack
		return superset(have, one[:]) && subset(have, one[:])
	}
	if v.text == have {
		return true
	}
	if !v.isAmount {
		return false
	}
	q, pointed, ok := parseQuantity(have)
	return ok && !pointed && q == v.number
}

// compare orders an attribute against the value; false when the two are not
// of one sort.
func (v *value) compare(have string) (int, bool) {
	if v.isNumber {
		if q, _, ok := parseQuantity(have); ok {
			return q.compare(v.number), true
		}
	}
	if v.isVersion {
		if other, ok := parseVersion(have); ok {
			return other.compare(v.version), true
		}
	}
	return 0, false
}
