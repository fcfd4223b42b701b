package mesh

import "strings"

// maxShown is how much of an attribute's value a phrase repeats, in bytes.
const maxShown = 64

// Explain tells in a phrase which test of the require part fails first, such
// as "version is 1.9, wanted ^2.1"; empty when all hold.
func (s Selector) Explain(a Attributes) string {
	if s.c == nil {
		return ""
	}
	return s.c.require.failure(a)
}

func (e *expr) failure(a Attributes) string {
	if e.holds(a) {
		return ""
	}
	switch e.op {
	case allOf:
		for i := range e.kids {
			if f := e.kids[i].failure(a); f != "" {
				return f
			}
		}
	case anyOf:
		return e.noneHolds(a)
	case not:
		return e.kids[0].unwanted(a)
	case has:
		return e.name + " is missing"
	}
	return e.is(a) + ", wanted " + e.wanted()
}

// noneHolds names the attribute once when all alternatives are about it.
func (e *expr) noneHolds(a Attributes) string {
	var wants, failures []string
	for i := range e.kids {
		k := &e.kids[i]
		failures = append(failures, k.failure(a))
		if k.name == e.name && k.op > has && k.op < not {
			wants = append(wants, k.wanted())
		}
	}
	if len(wants) == len(e.kids) {
		return e.is(a) + ", wanted " + strings.Join(wants, " or ")
	}
	return strings.Join(failures, ", and ")
}

// unwanted tells why the contrary fails.
func (e *expr) unwanted(a Attributes) string {
	switch e.op {
	case has:
		return e.is(a) + ", wanted none"
	case anyOf, allOf:
		return "!(" + e.text + ") does not hold"
	}
	return e.is(a) + ", wanted not " + e.wanted()
}

func (e *expr) is(a Attributes) string {
	v, ok := a[e.name]
	if !ok {
		return e.name + " is missing"
	}
	if len(v) > maxShown {
		v = v[:maxShown] + "…"
	}
	return e.name + " is " + v
}

func (e *expr) wanted() string {
	if e.op == eq {
		return e.want.String()
	}
	return opText[e.op] + e.want.String()
}
