package sim

import "time"

// The stand-in rule for neighbours, beside what Topology says: a node takes
// at most half as many again as it wants; of candidates the one with the
// fewest neighbours is dialled; and who was lost to silence is dialled again,
// as production does with peers it knows, so that two halves of a mesh that
// could not see each other grow together again.
const (
	candidates = 3
	draws      = 24
	lostMost   = 8
	lostTries  = 12
	lostFirst  = time.Second
	lostLast   = 30 * time.Second
)

// lost is a neighbour that went silent.
type lost struct {
	peer  int32
	tries int32
	due   int64
}

// needs schedules a dial when a node has too few neighbours.
func (s *sim) needs(i int32) {
	n := &s.nodes[i]
	if n.dialing || !n.alive {
		return
	}
	home, across := s.degree(i)
	wait := int64(s.sc.Topology.Rejoin)
	if home >= int(n.want) && across >= int(n.across) {
		if len(n.lost) == 0 {
			return
		}
		due := n.lost[0].due
		for _, l := range n.lost {
			due = min(due, l.due)
		}
		wait = max(due-s.now, wait)
	}
	n.dialing = true
	s.queue.push(s.now+wait, evDial, uint32(i), n.life)
}

// degree counts the neighbours in a node's region, and in others.
func (s *sim) degree(i int32) (home, across int) {
	for _, l := range s.nodes[i].links {
		if s.nodes[l.peer].region == s.nodes[i].region {
			home++
		} else {
			across++
		}
	}
	return home, across
}

// remember notes a neighbour to dial again.
func (s *sim) remember(i, peer int32) {
	n := &s.nodes[i]
	if len(n.lost) == lostMost {
		n.lost = append(n.lost[:0], n.lost[1:]...)
	}
	n.lost = append(n.lost, lost{peer: peer, due: s.now + int64(lostFirst)})
	s.needs(i)
}

// dial brings a node up to what it wants.
func (s *sim) dial(i int32, life uint32) {
	n := &s.nodes[i]
	if n.life != life || !n.alive {
		return
	}
	n.dialing = false
	s.dialLost(i)
	home, across := s.degree(i)
	for ; home < int(n.want); home++ {
		if !s.dialOne(i, n.region) {
			break
		}
	}
	for ; across < int(n.across); across++ {
		if !s.dialOne(i, n.other) {
			break
		}
	}
	s.needs(i)
}

func (s *sim) dialLost(i int32) {
	n := &s.nodes[i]
	kept := n.lost[:0]
	for _, l := range n.lost {
		switch {
		case s.linked(i, l.peer) != nobody:
			continue
		case l.due > s.now:
		case s.reachable(i, l.peer) && s.room(l.peer) && s.connect(i, l.peer):
			continue
		default:
			l.due = s.now + min(int64(lostFirst)<<min(l.tries, 10), int64(lostLast))
			if l.tries++; l.tries >= lostTries {
				continue
			}
		}
		kept = append(kept, l)
	}
	n.lost = kept
}

// dialOne links a node with one of a region, drawn at random.
func (s *sim) dialOne(i, region int32) bool {
	best, found := nobody, 0
	members := s.regions[region].members
	for range draws {
		c := members[s.topo.IntN(len(members))]
		if c == i || !s.nodes[c].alive || !s.reachable(i, c) || !s.room(c) || s.linked(i, c) != nobody {
			continue
		}
		if best == nobody || len(s.nodes[c].links) < len(s.nodes[best].links) {
			best = c
		}
		if found++; found == candidates {
			break
		}
	}
	if best == nobody || s.punchFails(i, best) {
		return false
	}
	return s.connect(i, best)
}

// room tells whether a node takes one more neighbour.
func (s *sim) room(i int32) bool {
	n := &s.nodes[i]
	want := int(n.want + n.across)
	return len(n.links) < want+max(want/2, 2)
}

// reachable tells whether one node can dial another at all.
func (s *sim) reachable(a, b int32) bool {
	x, y := &s.nodes[a], &s.nodes[b]
	if !x.alive || !y.alive || x.side != y.side {
		return false
	}
	return (x.nat != natSymmetric || y.nat == natOpen) && (y.nat != natSymmetric || x.nat == natOpen)
}

// punchFails draws whether a hole through two NATs cannot be punched this time.
func (s *sim) punchFails(a, b int32) bool {
	return s.nodes[a].nat == natCone && s.nodes[b].nat == natCone && s.topo.Float64() < s.sc.Topology.PunchFails
}
