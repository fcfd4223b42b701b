package sim

import (
	"strings"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// recordLife is how long production's records hold; they are made anew after
// half of it.
const recordLife = 10 * time.Minute

// regionAttribute is where a provider says its region, and what nodes of a
// mesh of regions have as their zone.
const regionAttribute = "region"

// able answers a probe that this node can serve.
func (s *sim) able(i int32, a *router.Action) {
	b := body{kind: bodyRecord, who: i, status: mesh.StatusAble, n: uint64(s.now/int64(recordLife/2)) * uint64(recordLife/2)}
	if a.Address.Kind == mesh.KindService {
		b.what = s.nameOf(a.Address.Name)
		if v := s.serverOf(i, b.what); v != nobody {
			b.n = s.epoch(&s.servers[v])
			b.load = s.load(v)
		}
	}
	s.nodes[i].r.Answered(s.clock, a.Token, mesh.StatusAble, s.encode(&b), router.Checked{})
}

// epoch is when a server's record was made, in ns since the start + 1.
func (s *sim) epoch(v *server) uint64 {
	if now := uint64(s.now) + 1; v.epoch == 0 || now-v.epoch >= uint64(recordLife/2) {
		v.epoch = now
	}
	return v.epoch
}

// openRecord makes the record that a body stands for; false when it is over.
func (s *sim) openRecord(b *body) bool {
	if b.kind != bodyRecord {
		return false
	}
	made := at(int64(b.n))
	s.record = mesh.Record{
		Provider: s.peers[b.who], Service: s.names[b.what], Attributes: s.attrsOf(b.who, b.what),
		Epoch: b.n, Created: made, Expires: made.Add(recordLife),
	}
	if v := s.serverOf(s.nodeOf(b.who), b.what); v != nobody {
		s.record.Since = at(s.servers[v].since)
	}
	return !s.record.Expires.Before(s.clock)
}

// attrsOf is what an identity says of itself in its record of a service.
func (s *sim) attrsOf(who, name int32) mesh.Attributes {
	if v := s.serverOf(s.nodeOf(who), name); v != nobody {
		return s.servers[v].attrs
	}
	return s.lures[name]
}

// digestOf is what a word of a provider says of its attributes.
func (s *sim) digestOf(who int32, service string) uint64 {
	if name, ok := s.nameNo[service]; ok {
		if v := s.serverOf(s.nodeOf(who), name); v != nobody {
			return s.servers[v].digest
		}
	}
	return 0
}

// attributes draws those of one provider.
func (s *sim) attributes(v *Service, i int32) mesh.Attributes {
	out := make(mesh.Attributes, len(v.Attributes)+1)
	if name := s.regions[s.nodes[i].region].name; name != "" {
		out[regionAttribute] = name
	}
	for _, k := range sorted(v.Attributes) {
		choice := strings.Split(v.Attributes[k], "|")
		out[k] = choice[s.place.IntN(len(choice))]
	}
	return out
}
