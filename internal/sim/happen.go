package sim

import (
	"math"
	"slices"
)

// begin lets an Event happen.
func (s *sim) begin(k int) {
	e := &s.sc.Events[k]
	switch e.What {
	case "partition":
		s.part(e)
	case "cut", "silence":
		s.breakLinks(k, e)
	case "kill":
		s.killSome(e)
	case "crowd":
		s.crowd(e.Traffic, e.Factor)
	case "join":
		s.join(k, e)
		return
	}
	if e.For > 0 {
		s.queue.push(s.now+int64(e.For), evOver, uint32(k), 0)
	}
}

// over ends it.
func (s *sim) over(k int) {
	e := &s.sc.Events[k]
	switch e.What {
	case "partition":
		s.unpart()
	case "silence":
		for _, p := range s.broken[k] {
			if x := s.linked(p.a, p.b); x != nobody && s.ends[x].silent && s.reachable(p.a, p.b) {
				s.wake(x)
			}
		}
	case "cut":
		for _, p := range s.broken[k] {
			if s.reachable(p.a, p.b) {
				s.connect(p.a, p.b)
			}
		}
	case "crowd":
		s.crowd(e.Traffic, 1/e.Factor)
	case "join":
		s.join(k, e)
	}
}

// part puts nodes on two sides: what crosses between them goes silent.
func (s *sim) part(e *Event) {
	for i := range s.nodes {
		n := &s.nodes[i]
		small := s.churn.Float64() < e.Share
		if e.Region != "" {
			small = s.regions[n.region].name == e.Region
		}
		if small {
			n.side ^= 1
		}
	}
	for x := 0; x < len(s.ends); x += 2 {
		if a := &s.ends[x]; (a.up || s.ends[x+1].up) && s.nodes[a.node].side != s.nodes[a.peer].side {
			s.hush(int32(x))
		}
	}
}

// unpart ends all partitions.
func (s *sim) unpart() {
	for i := range s.nodes {
		s.nodes[i].side = 0
	}
	for x := 0; x < len(s.ends); x += 2 {
		if a := &s.ends[x]; (a.up || s.ends[x+1].up) && a.silent && s.nodes[a.node].alive && s.nodes[a.peer].alive {
			s.wake(int32(x))
		}
	}
}

// pair names a link by its nodes.
type pair struct{ a, b int32 }

// breakLinks ends a share of the links, or makes them silent.
func (s *sim) breakLinks(k int, e *Event) {
	for x := int32(0); int(x) < len(s.ends); x += 2 {
		if !s.ends[x].up || !s.ends[x+1].up || s.ends[x].silent || s.churn.Float64() >= e.Share {
			continue
		}
		s.broken[k] = append(s.broken[k], pair{s.ends[x].node, s.ends[x].peer})
		if e.What == "silence" {
			s.hush(x)
			continue
		}
		s.closeEnd(x)
		s.closeEnd(x + 1)
	}
}

// killSome ends nodes without a word.
func (s *sim) killSome(e *Event) {
	for i := range s.nodes {
		n := &s.nodes[i]
		if !n.alive || n.hostile > 0 || e.Region != "" && s.regions[n.region].name != e.Region {
			continue
		}
		if e.Service != "" && !slices.ContainsFunc(n.servers, func(v int32) bool { return s.serverIs(v, e.Service) }) {
			continue
		}
		if s.churn.Float64() < e.Share {
			s.leave(int32(i), int64(e.For), false)
		}
	}
}

// serverIs tells whether a server is of a service, which may be named as a run
// of names is, or as one of them.
func (s *sim) serverIs(v int32, service string) bool {
	sv := &s.servers[v]
	return s.names[sv.name] == service || s.sc.Services[sv.service].Name == service
}

// crowd changes the pace of a flow, or of all.
func (s *sim) crowd(name string, factor float64) {
	for k := range s.flows {
		if f := &s.flows[k]; name == "" || f.Name == name {
			f.factor *= factor
			f.pace++
			s.pace(int32(k), max(s.now, int64(f.Start)))
		}
	}
}

// join starts nodes that were not there, at once or spread over For.
func (s *sim) join(k int, e *Event) {
	left := s.joining[k]
	if left == 0 {
		return
	}
	now := left
	if e.For > 0 { // as many steps as nodes
		now = 1
		if rest := int64(e.For) / int64(math.Max(1, e.Share*float64(s.sc.Nodes))); left > 1 {
			s.queue.push(s.now+rest, evOver, uint32(k), 0)
		}
	}
	for range now {
		i := s.newcomer
		if int(i) >= len(s.nodes) {
			return
		}
		s.newcomer++
		s.comeBack(i, s.nodes[i].life)
	}
	s.joining[k] = left - now
}
