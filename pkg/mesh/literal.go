package mesh

// blanks passes over spaces.
func (p *scanner) blanks() {
	for p.peek() == ' ' {
		p.pos++
	}
}

// take passes over a sign, and the blanks around it.
func (p *scanner) take(c byte) bool {
	p.blanks()
	if p.peek() != c {
		return false
	}
	p.pos++
	p.blanks()
	return true
}

// ends reports that no name or value begins here, but something ends.
func (p *scanner) ends() bool {
	switch p.peek() {
	case ',', '|', ';', ')', ']', '}':
		return true
	}
	return p.pos == len(p.in)
}

func (p *scanner) unexpected() error {
	return p.errorf(p.pos, "unexpected %q: after a test comes , or | or ; or the end", p.rune(p.pos))
}

// value reads a plain text, bare or quoted, or a list.
func (p *scanner) value(after string) (*value, error) {
	start := p.pos
	if p.peek() != '[' {
		s, err := p.plain(after)
		if err != nil {
			return nil, err
		}
		if isList(s) {
			return nil, p.errorf(start+1, "a value that is no list cannot begin with [")
		}
		return plainValue(s), nil
	}
	p.pos++
	p.blanks()
	var items []string
	for after := "["; len(items) > 0 || p.peek() != ']'; after = "," {
		s, err := p.plain(after)
		if err != nil {
			return nil, err
		}
		items = append(items, s)
		if !p.take(',') {
			break
		}
	}
	if p.peek() != ']' {
		if p.ends() {
			return nil, p.errorf(p.pos, "] is missing for the [ in column %d", start+1)
		}
		return nil, p.errorf(p.pos, "unexpected %q: after an item comes , or ]", p.rune(p.pos))
	}
	p.pos++
	v := listValue(items)
	if len(v.text) > MaxAttribute {
		return nil, p.errorf(start, "the list is longer than %d characters", MaxAttribute)
	}
	return v, nil
}

// plain reads a text, bare or between quotes.
func (p *scanner) plain(after string) (string, error) {
	open, quote := p.pos, p.peek() == '"'
	allowed := bareByte
	if quote {
		p.pos++
		allowed = quotedByte
	}
	start := p.pos
	for p.pos < len(p.in) && allowed(p.in[p.pos]) {
		p.pos++
	}
	s, next := p.in[start:p.pos], p.peek()
	switch {
	case len(s) > MaxAttribute:
		return "", p.errorf(start+MaxAttribute, "the value is longer than %d characters", MaxAttribute)
	case quote && p.pos == len(p.in):
		return "", p.errorf(p.pos, `" is missing for the " in column %d`, open+1)
	case quote && next != '"':
		return "", p.errorf(p.pos, `%q cannot be in a value: use printable ASCII without " and \`, p.rune(p.pos))
	case s == "" && (quote || p.ends()):
		return "", p.errorf(start, "a value is missing after %s", after)
	case s == "":
		return "", p.errorf(start, "%q cannot begin a value: put quotes around it", p.rune(start))
	}
	if quote {
		p.pos++
	}
	return s, nil
}
