package main

import (
	"math/rand/v2"
	"slices"
)

// graph lists the neighbours of each instance, sorted. Instances count from 0
// here, and from 1 in what people read.
type graph [][]int

// regular draws a connected graph of n nodes with at most degree links each:
// degree/2 Hamiltonian cycles laid over one another, and for an odd degree a
// matching. Where two of them share a link, its ends have one fewer.
func regular(n, degree int, seed uint64) graph {
	links := make([]map[int]bool, n)
	for i := range links {
		links[i] = make(map[int]bool)
	}
	link := func(a, b int) {
		if a != b {
			links[a][b], links[b][a] = true, true
		}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	for range degree / 2 {
		cycle := random.Perm(n)
		for i, a := range cycle {
			link(a, cycle[(i+1)%n])
		}
	}
	if degree%2 == 1 {
		pairs := random.Perm(n)
		for i := 1; i < n; i += 2 {
			link(pairs[i-1], pairs[i])
		}
	}
	g := make(graph, n)
	for i, to := range links {
		for j := range to {
			g[i] = append(g[i], j)
		}
		slices.Sort(g[i])
	}
	return g
}

// distances gives the least number of links from one node to each, or -1
// where there is no way; open, if not nil, says which links count.
func (g graph) distances(from int, open func(a, b int) bool) []int {
	d := make([]int, len(g))
	for i := range d {
		d[i] = -1
	}
	d[from] = 0
	queue := []int{from}
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for _, b := range g[a] {
			if d[b] < 0 && (open == nil || open(a, b)) {
				d[b] = d[a] + 1
				queue = append(queue, b)
			}
		}
	}
	return d
}

// distances are those of a graph from every node, found when asked for.
type distances struct {
	graph graph
	open  func(a, b int) bool // nil: every link counts
	found map[int][]int
}

func (d *distances) from(node int) []int {
	if d.found == nil {
		d.found = make(map[int][]int)
	}
	if d.found[node] == nil {
		d.found[node] = d.graph.distances(node, d.open)
	}
	return d.found[node]
}

// flood is how many frames carry a message to every node when each passes it
// on to all its neighbours but the one it came from.
func (g graph) flood() int {
	frames := 1
	for _, to := range g {
		frames += len(to) - 1
	}
	return frames
}
