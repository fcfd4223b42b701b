package mesh

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Kind tells what an address names.
type Kind uint8

// The kinds of address.
const (
	KindService Kind = iota + 1
	KindNode
	KindGroup
)

// Address says where a message goes:
//
//	orders                    any provider of a service
//	orders{region=eu,os=bsd}  one whose attributes match
//	orders@blue               in another network
//	node:12D3KooW…            one node
//	group:lobby               all members of a group
type Address struct {
	Kind     Kind
	Name     string // service or group name; empty for a node
	Selector Selector
	Network  string // empty: the network it is sent in
	Node     peer.ID
}

// AddressError tells what is wrong with an address and where.
type AddressError struct {
	Input   string
	Column  int // counted from 1, in bytes
	Problem string
}

// Error is one sentence that names the column.
func (e *AddressError) Error() string {
	return fmt.Sprintf("address %q: column %d: %s", e.Input, e.Column, e.Problem)
}

// Unwrap makes every address error an ErrMalformed.
func (e *AddressError) Unwrap() error { return ErrMalformed }

// Service is the address of a service without selector.
func Service(name string) Address { return Address{Kind: KindService, Name: name} }

// Node is the address of one node.
func Node(p peer.ID) Address { return Address{Kind: KindNode, Node: p} }

// Group is the address of a group.
func Group(name string) Address { return Address{Kind: KindGroup, Name: name} }

// ParseAddress reads the text form. Errors are *AddressError.
func ParseAddress(s string) (Address, error) {
	p := &scanner{in: s}
	switch {
	case strings.HasPrefix(s, "node:"):
		p.pos = len("node:")
		id, err := peer.Decode(s[p.pos:])
		if err != nil || !validPeer([]byte(id)) {
			return Address{}, p.errorf(p.pos, "not a peer ID")
		}
		return Node(id), nil
	case strings.HasPrefix(s, "group:"):
		p.pos = len("group:")
		name, err := p.name("group name")
		if err == nil {
			err = p.end()
		}
		if err != nil {
			return Address{}, err
		}
		return Group(name), nil
	}
	name, err := p.name("service name")
	if err != nil {
		return Address{}, err
	}
	a := Address{Kind: KindService, Name: name}
	if p.peek() == '{' {
		if a.Selector, err = p.selector(); err != nil {
			return Address{}, err
		}
	}
	if p.peek() == '@' {
		p.pos++
		if a.Network, err = p.name("network name"); err != nil {
			return Address{}, err
		}
	}
	if err := p.end(); err != nil {
		return Address{}, err
	}
	return a, nil
}

// String is the canonical text form: ParseAddress of it gives the same address.
func (a Address) String() string {
	switch a.Kind {
	case KindNode:
		return "node:" + a.Node.String()
	case KindGroup:
		return "group:" + a.Name
	}
	s := a.Name + a.Selector.String()
	if a.Network != "" {
		s += "@" + a.Network
	}
	return s
}

// ValidName checks a service, group or network name: 1 to 128 of [a-z0-9._-].
func ValidName(what, s string) error {
	p := &scanner{in: s}
	if _, err := p.name(what); err != nil {
		return err
	}
	return p.end()
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// scanner walks over an address or selector and knows the column.
type scanner struct {
	in  string
	pos int
}

func (p *scanner) errorf(pos int, format string, args ...any) error {
	return &AddressError{Input: p.in, Column: pos + 1, Problem: fmt.Sprintf(format, args...)}
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
