package mesh

import (
	"slices"
	"strings"
)

// op is what an expression does.
type op uint8

// The tests, then what joins them. The zero expression holds always.
const (
	always op = iota
	has
	eq
	ne
	ge
	le
	gt
	lt
	caret
	tilde
	not
	anyOf
	allOf
)

var opText = [...]string{eq: "=", ne: "!=", ge: ">=", le: "<=", gt: ">", lt: "<", caret: "^", tilde: "~"}

// expr is a node of a selector's tree, in canonical form.
type expr struct {
	op   op
	name string // of the attribute tested; of a group, that of its first operand
	want *value // of a test other than has
	kids []expr // of not: one; of anyOf and allOf: two or more
	text string // canonical
}

func test(name string, o op, want *value) expr {
	if o == has {
		return expr{op: has, name: name, text: name}
	}
	return expr{op: o, name: name, want: want, text: name + opText[o] + want.String()}
}

// negate is the expression's contrary: of an equality, the other equality;
// of a negation, what was negated.
func negate(e expr) expr {
	switch e.op {
	case eq:
		return test(e.name, ne, e.want)
	case ne:
		return test(e.name, eq, e.want)
	case not:
		return e.kids[0]
	case anyOf, allOf:
		return expr{op: not, name: e.name, kids: []expr{e}, text: "!(" + e.text + ")"}
	}
	return expr{op: not, name: e.name, kids: []expr{e}, text: "!" + e.text}
}

// join makes one expression of operands: flat, each once, sorted by name and
// then by text.
func join(o op, operands []expr) expr {
	if len(operands) == 1 {
		return operands[0]
	}
	var kids []expr
	for i := range operands {
		kids = operands[i].flat(o, kids)
	}
	slices.SortFunc(kids, func(a, b expr) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
	kids = slices.CompactFunc(kids, func(a, b expr) bool { return a.text == b.text })
	if len(kids) == 1 {
		return kids[0]
	}
	sign := ","
	if o == anyOf {
		sign = "|"
	}
	texts := make([]string, len(kids))
	for i := range kids {
		texts[i] = kids[i].text
		if o == anyOf {
			texts[i] = kids[i].operand()
		}
	}
	return expr{op: o, name: kids[0].name, kids: kids, text: strings.Join(texts, sign)}
}

// flat appends the kids of a group that does the same, else the expression.
func (e *expr) flat(o op, list []expr) []expr {
	if e.op == o {
		return append(list, e.kids...)
	}
	return append(list, *e)
}

// operand is the text as a part of an or: "and" is weaker, and needs
// parentheses there.
func (e *expr) operand() string {
	if e.op == allOf {
		return "(" + e.text + ")"
	}
	return e.text
}

// contradicts reports that two tests cannot both hold.
func (e *expr) contradicts(other *expr) bool {
	return e.op == eq && other.op == eq && e.name == other.name &&
		e.want.isList == other.want.isList && !e.want.equal(other.want.text)
}

// holds evaluates without allocation.
func (e *expr) holds(a Attributes) bool {
	switch e.op {
	case always:
		return true
	case not:
		return !e.kids[0].holds(a)
	case allOf:
		for i := range e.kids {
			if !e.kids[i].holds(a) {
				return false
			}
		}
		return true
	case anyOf:
		for i := range e.kids {
			if e.kids[i].holds(a) {
				return true
			}
		}
		return false
	}
	have, ok := a[e.name]
	if !ok {
		return e.op == ne
	}
	return e.op == has || e.compares(have)
}

// compares runs a test on the attribute's value.
func (e *expr) compares(have string) bool {
	switch e.op {
	case eq:
		return e.want.equal(have)
	case ne:
		return !e.want.equal(have)
	case caret, tilde:
		v, ok := parseVersion(have)
		return ok && (e.op == caret && e.want.version.caret(v) || e.op == tilde && e.want.version.tilde(v))
	case ge, le:
		if e.want.isList {
			return e.op == ge && superset(have, e.want.list) || e.op == le && subset(have, e.want.list)
		}
	}
	c, ok := e.want.compare(have)
	if !ok {
		return false
	}
	switch e.op {
	case ge:
		return c >= 0
	case le:
		return c <= 0
	case gt:
		return c > 0
	}
	return c < 0
}
