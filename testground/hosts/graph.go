package hosts

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// graph says who is linked to whom.
type graph struct {
	dials [][]int // whom each node dials
	links [][]int // its neighbours, those that dial it too; sorted
}

// regular joins degree/2 random Hamiltonian cycles. A link that two cycles
// share is one link: some nodes have fewer than degree.
func regular(nodes, degree int, r *rand.Rand) *graph {
	g := &graph{dials: make([][]int, nodes), links: make([][]int, nodes)}
	for range degree / 2 {
		cycle := r.Perm(nodes)
		for i, a := range cycle {
			b := cycle[(i+1)%nodes]
			if a == b || slices.Contains(g.links[a], b) {
				continue
			}
			g.dials[a] = append(g.dials[a], b)
			g.links[a] = append(g.links[a], b)
			g.links[b] = append(g.links[b], a)
		}
	}
	for _, l := range g.links {
		slices.Sort(l)
	}
	return g
}

// distances gives the hops from a node to all others by way of nodes that are
// up; -1 for those that cannot be reached.
func (g *graph) distances(from int, up func(int) bool) []int {
	d := make([]int, len(g.links))
	for i := range d {
		d[i] = -1
	}
	d[from] = 0
	queue := []int{from}
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for _, b := range g.links[a] {
			if d[b] < 0 && up(b) {
				d[b] = d[a] + 1
				queue = append(queue, b)
			}
		}
	}
	return d
}

// latency of the link of two nodes, the same both ways, drawn by the seed.
func latency(l sim.Link, seed, a, b uint64) time.Duration {
	if l.Spread <= 0 {
		return l.Latency
	}
	a, b = min(a, b), max(a, b)
	r := rand.New(rand.NewPCG(seed, a<<32|b))
	return l.Latency + time.Duration(r.Int64N(int64(l.Spread)))
}
