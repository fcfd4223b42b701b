package sim

// paths answers questions about the graph as it is. Its arrays are used again
// by stamping, so that a search costs only what it visits.
type paths struct {
	seen    [2][]uint32 // by direction: the stamp of the search that reached a node
	dist    [2][]int64
	from    []int32
	stamp   uint32
	targets []int32
	wanted  []bool
	order   []int32
	heaps   [2]queue
}

func (p *paths) init(n int) {
	for d := range p.seen {
		p.seen[d], p.dist[d] = make([]uint32, n), make([]int64, n)
	}
	p.from, p.wanted = make([]int32, n), make([]bool, n)
}

// target adds a node that the next search looks for.
func (p *paths) target(i int32) {
	if !p.wanted[i] {
		p.wanted[i] = true
		p.targets = append(p.targets, i)
	}
}

func (p *paths) clear() {
	for _, i := range p.targets {
		p.wanted[i] = false
	}
	p.targets = p.targets[:0]
}

// usable tells whether a link carries frames now.
func (s *sim) usable(e int32) bool {
	return !s.ends[e].silent && s.ends[e^1].up
}

// near tells whether a target is within hops of a node, by links that have
// been up since a time and by honest nodes.
func (p *paths) near(s *sim, from int32, hops int, since int64) bool {
	defer p.clear()
	if len(p.targets) == 0 || !s.nodes[from].alive {
		return false
	}
	found := false
	p.breadth(s, from, hops, func(e int32) bool {
		return s.ends[e].since <= since && s.nodes[s.ends[e].peer].hostile == 0
	}, func(i int32) bool {
		found = p.wanted[i]
		return !found
	})
	return found
}

// tree counts the links of the shortest-path tree to all targets within hops.
func (p *paths) tree(s *sim, from int32, hops int) int {
	defer p.clear()
	p.breadth(s, from, hops, func(int32) bool { return true }, func(int32) bool { return true })
	links := 0
	p.stampUp()
	p.seen[1][from] = p.stamp
	for _, t := range p.targets {
		for i := t; p.seen[0][i] == p.stamp-1 && p.seen[1][i] != p.stamp; i = p.from[i] {
			p.seen[1][i] = p.stamp
			links++
		}
	}
	return links
}

func (p *paths) stampUp() { p.stamp++ }

// breadth visits nodes in order of distance until visit says no.
func (p *paths) breadth(s *sim, from int32, hops int, by func(e int32) bool, visit func(i int32) bool) {
	p.stampUp()
	p.seen[0][from], p.dist[0][from] = p.stamp, 0
	p.order = append(p.order[:0], from)
	for k := 0; k < len(p.order); k++ {
		i := p.order[k]
		if !visit(i) {
			return
		}
		if p.dist[0][i] == int64(hops) {
			continue
		}
		for _, l := range s.nodes[i].links {
			j := l.peer
			if p.seen[0][j] == p.stamp || !s.usable(l.end) || !by(l.end) {
				continue
			}
			p.seen[0][j], p.dist[0][j], p.from[j] = p.stamp, p.dist[0][i]+1, i
			p.order = append(p.order, j)
		}
	}
}

// shortest is the length of the shortest way between two nodes, in hops or in
// ns of latency; -1 when there is none. It searches from both sides at once
// (Dijkstra's algorithm, in the form of Pohl: Bi-directional search, 1971).
func (p *paths) shortest(s *sim, from, to int32, latency bool) int64 {
	p.stampUp()
	best := int64(-1)
	for d, i := range [2]int32{from, to} {
		p.heaps[d].heap = p.heaps[d].heap[:0]
		p.seen[d][i], p.dist[d][i] = p.stamp, 0
		p.heaps[d].push(0, 0, uint32(i), 0)
	}
	for len(p.heaps[0].heap) > 0 && len(p.heaps[1].heap) > 0 {
		low := [2]int64{p.heaps[0].heap[0].at, p.heaps[1].heap[0].at}
		if best >= 0 && low[0]+low[1] >= best {
			return best
		}
		d := 0
		if low[1] < low[0] {
			d = 1
		}
		top := p.heaps[d].pop()
		i := int32(top.a)
		if top.at > p.dist[d][i] {
			continue
		}
		for _, l := range s.nodes[i].links {
			if !s.usable(l.end) {
				continue
			}
			far := top.at + 1
			if latency {
				far = top.at + s.ends[l.end].latency
			}
			j := l.peer
			if p.seen[d][j] == p.stamp && p.dist[d][j] <= far {
				continue
			}
			p.seen[d][j], p.dist[d][j] = p.stamp, far
			p.heaps[d].push(far, 0, uint32(j), 0)
			if p.seen[1-d][j] == p.stamp && (best < 0 || far+p.dist[1-d][j] < best) {
				best = far + p.dist[1-d][j]
			}
		}
	}
	return best
}
