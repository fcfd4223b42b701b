package main

import (
	"slices"
	"testing"
)

func TestRegular(t *testing.T) {
	for _, n := range []int{2, 3, 10, 51, 200} {
		for _, degree := range []int{2, 3, 4, 8} {
			g := regular(n, degree, 7)
			for a, to := range g {
				if len(to) == 0 || len(to) > degree {
					t.Errorf("%d nodes, degree %d: node %d has %d links", n, degree, a, len(to))
				}
				for _, b := range to {
					if b == a {
						t.Errorf("node %d is linked with itself", a)
					}
					if !slices.Contains(g[b], a) {
						t.Errorf("the link %d-%d is not in the other's list", a, b)
					}
				}
			}
			if d := g.distances(0, nil); slices.Contains(d, -1) {
				t.Errorf("%d nodes, degree %d: not connected", n, degree)
			}
		}
	}
}

func TestRegularFollowsTheSeed(t *testing.T) {
	same := func(a, b graph) bool {
		return slices.EqualFunc(a, b, func(x, y []int) bool { return slices.Equal(x, y) })
	}
	if !same(regular(50, 8, 1), regular(50, 8, 1)) {
		t.Error("one seed gives two graphs")
	}
	if same(regular(50, 8, 1), regular(50, 8, 2)) {
		t.Error("two seeds give one graph")
	}
}

// line is 0-1-2-3-4.
var line = graph{{1}, {0, 2}, {1, 3}, {2, 4}, {3}}

func TestDistances(t *testing.T) {
	if d := line.distances(0, nil); !slices.Equal(d, []int{0, 1, 2, 3, 4}) {
		t.Errorf("distances from an end: %v", d)
	}
	cut := func(a, b int) bool { return min(a, b) != 2 || max(a, b) != 3 }
	if d := line.distances(1, cut); !slices.Equal(d, []int{1, 0, 1, -1, -1}) {
		t.Errorf("distances with 2-3 cut: %v", d)
	}
	kept := distances{line, cut, nil}
	if a, b := kept.from(1), kept.from(1); !slices.Equal(a, []int{1, 0, 1, -1, -1}) || &a[0] != &b[0] {
		t.Errorf("distances asked for twice: %v and %v", a, b)
	}
}

func TestFlood(t *testing.T) {
	// The first sends by 1 link; each of the others has one link to pass it on
	// by, the last none.
	if f := line.flood(); f != 4 {
		t.Errorf("a flood of a line of five takes %d frames, want 4", f)
	}
	full := graph{{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}}
	if f := full.flood(); f != 9 { // 3 from the first, 2 from each other
		t.Errorf("a flood of four nodes all linked takes %d frames, want 9", f)
	}
}
