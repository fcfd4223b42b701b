package mesh

import (
	"fmt"
	"unicode/utf8"
)

// scanner walks over an address or a part of one, and knows the column.
type scanner struct {
	in   string
	what string // as AddressError has it
	pos  int
}

func (p *scanner) errorf(pos int, format string, args ...any) error {
	return &AddressError{What: p.what, Input: p.in, Column: pos + 1, Problem: fmt.Sprintf(format, args...)}
}

func (p *scanner) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *scanner) end() error {
	if p.pos < len(p.in) {
		return p.errorf(p.pos, "unexpected %q", p.rune(p.pos))
	}
	return nil
}

// rune is the character at pos, for people.
func (p *scanner) rune(pos int) rune {
	r, _ := utf8.DecodeRuneInString(p.in[pos:])
	return r
}

func (p *scanner) name(what string) (string, error) {
	start := p.pos
	for nameByte(p.peek()) {
		p.pos++
	}
	switch n := p.pos - start; {
	case n == 0 && p.pos == len(p.in):
		return "", p.errorf(start, "the %s is missing", what)
	case n == 0:
		return "", p.errorf(start, "%q cannot be in the %s: use a-z 0-9 . _ -", p.rune(start), what)
	case n > MaxName:
		return "", p.errorf(start+MaxName, "the %s is longer than %d characters", what, MaxName)
	}
	return p.in[start:p.pos], nil
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
