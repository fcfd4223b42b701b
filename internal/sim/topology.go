package sim

import "math"

// region is a part of the mesh.
type region struct {
	name    string
	members []int32
	kind    int32 // of the links in it
}

// makeRegions shares the nodes out: in runs, and those who join later too.
func (s *sim) makeRegions() {
	s.kinds = append(s.kinds, s.sc.Link)
	t := &s.sc.Topology
	if t.Kind != "regions" {
		s.regions = []region{{}}
		for i := range s.nodes {
			s.regions[0].members = append(s.regions[0].members, int32(i))
		}
		return
	}
	s.kinds = append(s.kinds, t.BridgeLink)
	sum := 0.0
	for i := range t.Regions {
		s.kinds = append(s.kinds, t.Regions[i].Link)
		s.regions = append(s.regions, region{name: t.Regions[i].Name, kind: int32(len(s.kinds) - 1)})
		sum += t.Regions[i].Share
	}
	share := func(from, to int) {
		r, upTo := 0, t.Regions[0].Share/sum
		for i := from; i < to; i++ {
			for r < len(s.regions)-1 && float64(i-from) >= upTo*float64(to-from)-0.5 {
				r++
				upTo += t.Regions[r].Share / sum
			}
			s.nodes[i].region = int32(r)
			s.regions[r].members = append(s.regions[r].members, int32(i))
		}
	}
	share(0, s.sc.Nodes)
	share(s.sc.Nodes, len(s.nodes))
}

// kindOf gives the kind of a link between two nodes.
func (s *sim) kindOf(a, b int32) int32 {
	ra, rb := s.nodes[a].region, s.nodes[b].region
	if ra != rb {
		return 1 // of bridges
	}
	return s.regions[ra].kind
}

// makeLinks builds the graph of the start.
func (s *sim) makeLinks() {
	t := &s.sc.Topology
	n := int32(s.sc.Nodes)
	link := func(a, b int32) bool { return s.reachable(a, b) && s.connect(a, b) }
	switch t.Kind {
	case "line", "ring":
		for i := int32(1); i < n; i++ {
			link(i-1, i)
		}
		if t.Kind == "ring" && n > 2 {
			link(n-1, 0)
		}
	case "grid":
		w := int32(math.Sqrt(float64(n)))
		for i := range n {
			row := i / w * w
			link(i, row+(i-row+1)%min(w, n-row))
			below := i + w
			if below >= n {
				below = i % w
			}
			link(i, below)
		}
	case "tree":
		for i := int32(1); i < n; i++ {
			link((i-1)/int32(t.Fanout), i)
		}
	case "star":
		s.makeStar(n, link)
	case "small-world":
		s.makeSmallWorld(n)
	default:
		for r := range s.regions {
			var members []int32
			for _, i := range s.regions[r].members {
				if i < n {
					members = append(members, i)
				}
			}
			s.makeRegular(members)
		}
		s.makeBridges()
	}
	for i := range s.nodes {
		v := &s.nodes[i]
		if v.want = int16(t.Degree); t.Degree == 0 {
			if home, _ := s.degree(int32(i)); i < s.sc.Nodes {
				v.want = int16(home)
			} else { // it joins later
				v.want = 2
			}
		}
		s.needs(int32(i))
	}
}

// makeStar links all to one in the middle, or to hubs that are.
func (s *sim) makeStar(n int32, link func(a, b int32) bool) {
	f := int32(s.sc.Topology.Fanout)
	hubs := int32(0)
	if f > 0 && n > f+1 {
		hubs = (n - 1 + f) / (f + 1)
	}
	for i := int32(1); i < n; i++ {
		if hubs == 0 || i <= hubs {
			link(0, i)
		} else {
			link(1+(i-1)%hubs, i)
		}
	}
}

// makeSmallWorld makes a ring of Degree and moves some links' far ends
// (Watts, Strogatz: Collective dynamics of small-world networks, 1998).
func (s *sim) makeSmallWorld(n int32) {
	for step := int32(1); step <= int32(s.sc.Topology.Degree/2); step++ {
		for i := range n {
			to := (i + step) % n
			if s.topo.Float64() < s.sc.Topology.Rewire {
				to = s.topo.Int32N(n)
			}
			if s.reachable(i, to) {
				s.connect(i, to)
			}
		}
	}
}

// makeRegular links the members by rings in random order, each of which adds
// two to every degree, so that the graph is one piece; what could not be
// linked, twice the same or by NATs, is drawn again.
func (s *sim) makeRegular(members []int32) {
	d := s.sc.Topology.Degree
	order := append([]int32(nil), members...)
	for range d / 2 {
		s.topo.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, a := range order {
			if b := order[(i+1)%len(order)]; s.reachable(a, b) {
				s.connect(a, b)
			}
		}
	}
	for _, i := range members {
		for try := 0; len(s.nodes[i].links) < d && try < 50; try++ {
			j := members[s.topo.IntN(len(members))]
			if s.reachable(i, j) && len(s.nodes[j].links) < d+1 {
				s.connect(i, j)
			}
		}
	}
}

// makeBridges gives some nodes of each pair of regions links into the other.
func (s *sim) makeBridges() {
	t := &s.sc.Topology
	for a := range s.regions {
		for b := a + 1; b < len(s.regions); b++ {
			for k := range t.Bridges {
				home, far := int32(a), int32(b)
				if k%2 == 1 {
					home, far = far, home
				}
				i := s.freeNode(home)
				if i == nobody {
					continue
				}
				s.nodes[i].other, s.nodes[i].across = far, int16(t.BridgeLinks)
				for try, made := 0, 0; made < t.BridgeLinks && try < 50*t.BridgeLinks; try++ {
					j := s.regions[far].members[s.topo.IntN(len(s.regions[far].members))]
					if s.nodes[j].other == nobody && s.reachable(i, j) && s.connect(i, j) {
						made++
					}
				}
			}
		}
	}
}

// freeNode draws a node of a region that is no bridge yet; nobody.
func (s *sim) freeNode(r int32) int32 {
	members := s.regions[r].members
	for range 100 {
		if i := members[s.topo.IntN(len(members))]; s.nodes[i].alive && s.nodes[i].other == nobody {
			return i
		}
	}
	return nobody
}
