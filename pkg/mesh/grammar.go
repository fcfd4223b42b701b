package mesh

import "slices"

// grammar reads a selector; docs/selectors.md has its EBNF. One token of
// lookahead is enough, so that the time is linear in the text.
type grammar struct {
	*scanner
	start        int
	tests, depth int
}

// selector reads up to the end of the text, or to a } that is left to the
// caller.
func (p *scanner) selector() (Selector, error) {
	g := &grammar{scanner: p, start: p.pos}
	var require expr
	var prefers []expr
	g.blanks()
	first := g.keyword()
	if !first && g.peek() != ';' {
		var err error
		if require, err = g.all(); err != nil {
			return Selector{}, err
		}
	}
	if !first && g.peek() == ';' {
		g.pos++
		g.blanks()
		if first = g.keyword(); !first {
			return Selector{}, g.errorf(g.pos, "the word prefer and a blank are missing after ;")
		}
	}
	if first {
		var err error
		if prefers, err = g.preferences(); err != nil {
			return Selector{}, err
		}
	}
	if c := g.peek(); g.pos < len(g.in) && c != '}' {
		return Selector{}, g.unexpected()
	}
	if g.pos-g.start > MaxSelector {
		return Selector{}, g.errorf(g.start+MaxSelector, "the selector is longer than %d bytes", MaxSelector)
	}
	return newSelector(require, prefers), nil
}

// keyword takes the word prefer, which a blank follows: without one it is the
// name of an attribute.
func (g *grammar) keyword() bool {
	end := g.pos + len(prefer)
	if end >= len(g.in) || g.in[g.pos:end] != prefer || g.in[end] != ' ' {
		return false
	}
	g.pos = end
	g.blanks()
	return true
}

func (g *grammar) preferences() ([]expr, error) {
	var out []expr
	for {
		at := g.pos
		e, err := g.any()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o expr) bool { return o.text == e.text }) {
			out = append(out, e)
		}
		if len(out) > MaxPreferences {
			return nil, g.errorf(at, "more than %d preferences", MaxPreferences)
		}
		if !g.take(',') {
			return out, nil
		}
	}
}

// all reads what "," joins.
func (g *grammar) all() (expr, error) {
	var operands []expr
	for {
		at := g.pos
		e, err := g.any()
		if err != nil {
			return expr{}, err
		}
		more := g.take(',')
		if !more && operands == nil {
			return e, nil
		}
		n := len(operands)
		operands = e.flat(allOf, operands)
		for _, next := range operands[n:] {
			for _, old := range operands[:n] {
				if next.contradicts(&old) {
					return expr{}, g.errorf(at, "%s cannot be both %s and %s: write %s|%s for either",
						old.name, old.want, next.want, old.text, next.text)
				}
			}
		}
		if !more {
			return join(allOf, operands), nil
		}
	}
}

// any reads what "|" joins.
func (g *grammar) any() (expr, error) {
	var operands []expr
	for {
		e, err := g.not()
		if err != nil {
			return expr{}, err
		}
		more := g.take('|')
		if !more && operands == nil {
			return e, nil
		}
		operands = append(operands, e)
		if !more {
			return join(anyOf, operands), nil
		}
	}
}

// not reads a test or a group, and what negates it.
func (g *grammar) not() (expr, error) {
	open, c := g.pos, g.peek()
	if c != '!' && c != '(' {
		return g.test()
	}
	if g.depth++; g.depth > MaxDepth {
		return expr{}, g.errorf(open, "more than %d ( and ! within one another", MaxDepth)
	}
	defer func() { g.depth-- }()
	g.pos++
	g.blanks()
	if c == '!' {
		e, err := g.not()
		if err != nil {
			return expr{}, err
		}
		return negate(e), nil
	}
	e, err := g.all()
	switch {
	case err != nil:
		return expr{}, err
	case g.peek() == ')':
		g.take(')')
		return e, nil
	case g.pos == len(g.in) || g.peek() == '}':
		return expr{}, g.errorf(g.pos, ") is missing for the ( in column %d", open+1)
	}
	return expr{}, g.unexpected()
}

// test reads a name, and maybe an operator and a value.
func (g *grammar) test() (expr, error) {
	at := g.pos
	if g.ends() {
		return expr{}, g.errorf(at, "a test such as region=eu is missing")
	}
	name, err := g.name("attribute name")
	if err != nil {
		return expr{}, err
	}
	if g.tests++; g.tests > MaxTests {
		return expr{}, g.errorf(at, "more than %d tests", MaxTests)
	}
	g.blanks()
	o := g.operator()
	if o == has {
		return test(name, has, nil), nil
	}
	g.blanks()
	at = g.pos
	if c := g.peek(); o == eq && (c == '^' || c == '~') {
		return expr{}, g.errorf(at, "write %s%c and the version, without =", name, c)
	}
	v, err := g.value(opText[o])
	if err != nil {
		return expr{}, err
	}
	if problem := misfit(o, v); problem != "" {
		return expr{}, g.errorf(at, "%s %s", v, problem)
	}
	g.blanks()
	return test(name, o, v), nil
}

// operator reads what stands after a name; has: nothing does.
func (g *grammar) operator() op {
	for _, o := range []op{ne, ge, le, eq, gt, lt, caret, tilde} { // long ones first
		if n := len(opText[o]); g.pos+n <= len(g.in) && g.in[g.pos:g.pos+n] == opText[o] {
			g.pos += n
			return o
		}
	}
	return has
}

// misfit tells why a test with this value could never hold.
func misfit(o op, v *value) string {
	switch o {
	case ge, le:
		if !v.isList && !v.isNumber && !v.isVersion {
			return "is no quantity such as 8GiB, no version such as 1.2.3 and no list such as [a,b], which " + opText[o] + " needs"
		}
	case gt, lt:
		if v.isList {
			return "is a list, for which there are >= and <="
		}
		if !v.isNumber && !v.isVersion {
			return "is no quantity such as 8GiB and no version such as 1.2.3, which " + opText[o] + " needs"
		}
	case caret, tilde:
		if !v.isVersion {
			return "is no version such as 2.1 or 2.1.0, which " + opText[o] + " needs"
		}
	}
	return ""
}
