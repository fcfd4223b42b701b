package router

import (
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// prunes keeps floods to a tree per origin: a neighbour that has a flood from
// elsewhere, or has nobody behind it, says so once and is spared until the
// prune expires or it grafts itself back.
//
// After Plumtree (Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees, 2007),
// with the parent rule in place of lazy announcements: a node never prunes the
// neighbour it usually hears an origin from, so that two floods in flight
// cannot prune it from both sides.
type prunes struct {
	cut     map[pruneKey]prune
	parents map[parentKey]parent
	told    map[toldKey]struct{} // to whom this node has said "spare me"
	forgot  bool                 // told was full: who was told is not known
}

// prune holds for PruneTTL after it was said or last used, and for maxPrune in
// all: a flow keeps its tree, and a tree that no flow uses is soon forgotten.
type prune struct{ until, end time.Time }

const maxPrune = 16 * time.Minute

func (p prune) holds(now time.Time) bool { return now.Before(p.until) && now.Before(p.end) }

type pruneKey struct {
	addr    string
	origin  peer.ID
	in, out Port // in 0: this node's own floods
}

type parentKey struct {
	addr   string
	origin peer.ID
}

// parent is the neighbour by which an origin's floods come with the most TTL.
type parent struct {
	port *port
	ttl  uint8 // of the last copy by it
	// last is what came by it last, until somebody behind this node asks for
	// floods: only of that branch "nobody is here" still holds when it ends.
	last *branch
}

type toldKey struct {
	addr   string
	origin peer.ID
	to     *port
}

func newPrunes() prunes {
	return prunes{cut: make(map[pruneKey]prune), parents: make(map[parentKey]parent), told: make(map[toldKey]struct{})}
}

func portNo(p *port) Port {
	if p == nil {
		return 0
	}
	return p.no
}

func (t *prunes) has(now time.Time, life time.Duration, addr string, origin peer.ID, in, out *port) bool {
	k := pruneKey{addr, origin, portNo(in), out.no}
	p := t.cut[k]
	if !p.holds(now) {
		return false
	}
	p.until = now.Add(life)
	t.cut[k] = p
	return true
}

// addPrune records a prune; when the table is full of live ones it does not, and
// floods are merely wider.
func (r *Router) addPrune(now time.Time, br *branch, out *port) {
	t := &r.prunes
	if len(t.cut) >= r.cfg.MaxPrunes {
		for k, p := range t.cut {
			if !p.holds(now) {
				delete(t.cut, k)
			}
		}
		if len(t.cut) >= r.cfg.MaxPrunes {
			return
		}
	}
	t.cut[pruneKey{br.addr, br.origin, portNo(br.in), out.no}] = prune{now.Add(r.cfg.PruneTTL), now.Add(maxPrune)}
}

// setParent records by whom an origin's floods come. It stays until its link
// ends, unless a copy comes by another with more TTL than those by it; if that
// one was told to spare this node, it is asked back.
func (r *Router) setParent(br *branch, ttl uint8) {
	addr, origin, in := br.addr, br.origin, br.in
	t, k := &r.prunes, parentKey{addr, origin}
	old, ok := t.parents[k]
	if ok && !old.port.closed && old.port != in && ttl <= old.ttl {
		return
	}
	if !ok && len(t.parents) >= r.cfg.MaxPrunes {
		clear(t.parents)
	}
	t.parents[k] = parent{in, ttl, br}
	if old.port == in {
		return
	}
	if told := (toldKey{addr, origin, in}); contains(t.told, told) {
		delete(t.told, told)
		r.do(Action{Op: OpGraft, Port: in.no, Service: serviceOf(addr)})
	}
}

func contains[K comparable](m map[K]struct{}, k K) bool {
	_, ok := m[k]
	return ok
}

// serviceOf is the service name at the head of an address.
func serviceOf(addr string) string {
	if i := strings.IndexAny(addr, "{@"); i >= 0 {
		return addr[:i]
	}
	return addr
}

func (t *prunes) isParent(addr string, origin peer.ID, in *port) bool {
	p, ok := t.parents[parentKey{addr, origin}]
	return !ok || p.port == in
}

// spare tells whether the neighbour of a branch that has ended should be told
// to spare this node: it is not the parent, so another feeds this node, or it
// is, and nobody is here.
func (t *prunes) spare(br *branch, nobody bool) bool {
	k := parentKey{br.addr, br.origin}
	p, ok := t.parents[k]
	if !ok || p.port != br.in {
		return ok
	}
	last := p.last == br
	if last {
		p.last = nil
		t.parents[k] = p
	}
	return nobody && last
}

func (t *prunes) said(addr string, origin peer.ID, to *port) {
	if len(t.told) >= 1<<16 {
		clear(t.told)
		t.forgot = true
	}
	t.told[toldKey{addr, origin, to}] = struct{}{}
}

// forget drops all about a port that closed.
func (t *prunes) forget(p *port) {
	for k := range t.cut {
		if k.in == p.no || k.out == p.no {
			delete(t.cut, k)
		}
	}
	for k := range t.told {
		if k.to == p {
			delete(t.told, k)
		}
	}
}

// of tells whether an address is of a service; an empty service means all.
func of(addr, service string) bool {
	rest, ok := strings.CutPrefix(addr, service)
	return service == "" || ok && (rest == "" || rest[0] == '{' || rest[0] == '@')
}

// graftUp asks back the parents to whom this node said to spare it: there is a
// new handler or a new link behind it now. Others were told because the parent
// feeds this node, and that holds.
func (r *Router) graftUp(now time.Time, service string, but *port) {
	for k, p := range r.prunes.parents {
		if of(k.addr, service) && p.last != nil {
			p.last = nil
			r.prunes.parents[k] = p
		}
	}
	asked := make(map[*port]bool)
	for k := range r.prunes.told {
		if k.to != but && of(k.addr, service) && r.prunes.isParent(k.addr, k.origin, k.to) {
			asked[k.to] = true
			delete(r.prunes.told, k)
		}
	}
	all := r.prunes.forgot
	r.prunes.forgot = false
	r.graft(service, func(p *port) bool { return asked[p] || all && p != but })
}

// graftDown is called when a neighbour, by which floods came, is gone or has
// lost its own: everybody else is asked.
func (r *Router) graftDown(now time.Time, service string, parent *port) bool {
	lost := false
	for k, p := range r.prunes.parents {
		if p.port == parent && of(k.addr, service) {
			lost = true
			delete(r.prunes.parents, k)
		}
	}
	if lost {
		r.graft(service, func(p *port) bool { return p != parent })
	}
	return lost
}

func (r *Router) graft(service string, to func(*port) bool) {
	for _, p := range r.ports {
		if to(p) {
			r.do(Action{Op: OpGraft, Port: p.no, Service: service})
		}
	}
}

// Graft handles a neighbour's wish to get floods again.
func (r *Router) Graft(now time.Time, from Port, service string) {
	in := r.byPort[from]
	if in == nil {
		return
	}
	for k := range r.prunes.cut {
		if k.out == from && of(k.addr, service) {
			delete(r.prunes.cut, k)
		}
	}
	clear(r.negative)
	if !r.graftDown(now, service, in) {
		r.graftUp(now, service, in)
	}
}
