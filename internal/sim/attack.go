package sim

import (
	"github.com/meshnode/meshnode/pkg/mesh"
)

// attack is what the nodes of one Attacker do. A kind is one file: a type that
// embeds honest and does some things otherwise, and an entry in attackKinds.
type attack interface {
	// start is called once, with all links made.
	start(s *sim)
	// comes is called with what came by an end of an attacker; false: the
	// router does not see it.
	comes(s *sim, i, e int32, f *flight) bool
	// leaves is called with what an attacker's router sends by an end, which
	// may be changed; false: it is not sent, and the router thinks it is.
	leaves(s *sim, i, e int32, f *flight) bool
	// again is called for an evAttack of an attacker.
	again(s *sim, i int32, b uint32)
}

// attackKinds are the plug-ins, by the name that a scenario uses.
var attackKinds = map[string]func(a *Attacker, nodes []int32) attack{
	"blackhole": func(a *Attacker, nodes []int32) attack { return &blackhole{honest{a, nodes}} },
	"dropper":   func(a *Attacker, nodes []int32) attack { return &dropper{honest{a, nodes}} },
	"liar":      func(a *Attacker, nodes []int32) attack { return &liar{honest{a, nodes}} },
	"sybil":     func(a *Attacker, nodes []int32) attack { return &sybil{honest: honest{a, nodes}} },
	"flooder":   func(a *Attacker, nodes []int32) attack { return &flooder{honest: honest{a, nodes}} },
	"replayer":  func(a *Attacker, nodes []int32) attack { return &replayer{honest: honest{a, nodes}} },
	"ttl1":      func(a *Attacker, nodes []int32) attack { return &ttl1{honest{a, nodes}} },
}

// honest attacks nobody.
type honest struct {
	*Attacker
	nodes []int32
}

func (*honest) start(*sim)                              {}
func (*honest) comes(*sim, int32, int32, *flight) bool  { return true }
func (*honest) leaves(*sim, int32, int32, *flight) bool { return true }
func (*honest) again(*sim, int32, uint32)               {}

// makeAttackers draws the nodes of each Attacker.
func (s *sim) makeAttackers() error {
	for k := range s.sc.Attackers {
		a := &s.sc.Attackers[k]
		count := a.Count
		if a.Share > 0 {
			count = max(1, int(a.Share*float64(s.sc.Nodes)))
		}
		var nodes []int32
		for try := 0; len(nodes) < count && try < 100*count; try++ {
			if i := int32(s.attack.IntN(s.sc.Nodes)); s.nodes[i].hostile == 0 {
				s.nodes[i].hostile = int16(k + 1)
				nodes = append(nodes, i)
			}
		}
		s.attacks = append(s.attacks, attackKinds[a.Kind](a, nodes))
	}
	return nil
}

func (s *sim) attackAgain(i int32, b uint32) {
	if n := &s.nodes[i]; n.alive && n.hostile > 0 {
		s.attacks[n.hostile-1].again(s, i, b)
	}
}

// lure lets an attacker's router believe that it serves a service, so that it
// answers probes for it, with the attributes of a true provider.
func (s *sim) lure(i, name int32) {
	if s.lures == nil {
		s.lures = make(map[int32]mesh.Attributes)
	}
	if s.lures[name] == nil {
		s.lures[name] = mesh.Attributes{}
		for k := range s.servers {
			if s.servers[k].name == name {
				s.lures[name] = s.servers[k].attrs
				break
			}
		}
	}
	s.input(i).SetLocal(s.clock, s.names[name], []mesh.Attributes{s.lures[name]})
	s.act(i)
}

// targets are the names of the services that an attacker is after: those of
// its Service, or all.
func (s *sim) targets(a *Attacker) []int32 {
	var out []int32
	for k := range s.sc.Services {
		v := &s.sc.Services[k]
		for c := range v.Count {
			name := numbered(v.Name, c)
			if a.Service == "" || a.Service == v.Name || a.Service == name {
				out = append(out, s.nameOf(name))
			}
		}
	}
	return out
}

// payload tells whether a flight is a frame that carries a message or a reply.
func (s *sim) payload(f *flight) bool {
	return f.carries == carriesFrame && s.msgs.at(f.msg).typ != mesh.TypeProbe
}
