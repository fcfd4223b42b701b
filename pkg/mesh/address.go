package mesh

import (
	"strings"

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
//	orders{region=eu,os=bsd}  one whose attributes match the selector
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
		if a.Selector, err = p.braces(); err != nil {
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

// braces reads {selector}.
func (p *scanner) braces() (Selector, error) {
	open := p.pos
	p.pos++ // {
	sel, err := p.selector()
	switch {
	case err != nil:
		return Selector{}, err
	case p.pos == len(p.in):
		return Selector{}, p.errorf(p.pos, "} is missing for the { in column %d", open+1)
	}
	p.pos++
	return sel, nil
}
