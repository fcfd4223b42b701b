package report

import (
	"html/template"
	"math"
	"math/rand/v2"

	"github.com/meshnode/meshnode/internal/sim"
)

// glyph is a small picture of the kind of topology, not of this mesh: a mesh
// of thousands drawn as it is would be a blot.
func glyph(kind string, regions []sim.Region, seed uint64) template.HTML {
	g := &dots{random: rand.New(rand.NewPCG(seed, 1))}
	switch kind {
	case "line":
		g.line()
	case "grid":
		g.grid()
	case "tree":
		g.tree()
	case "star":
		g.star()
	case "ring":
		g.circle(80, 80, 58, 18)
		g.chain(0, 18)
	case "small-world":
		g.circle(80, 80, 58, 22)
		g.chain(0, 22)
		g.chords(0, 22, 6)
	case "regions":
		g.regions(max(2, min(len(regions), 6)))
	default:
		g.circle(80, 80, 58, 22)
		g.chords(0, 22, 44)
	}
	return g.svg()
}

type dots struct {
	random *rand.Rand
	at     [][2]float64
	links  [][2]int
	far    [][2]int // drawn apart: bridges
}

func (g *dots) circle(x, y, r float64, n int) {
	for i := range n {
		a := 2*math.Pi*float64(i)/float64(n) - math.Pi/2
		g.at = append(g.at, [2]float64{x + r*math.Cos(a), y + r*math.Sin(a)})
	}
}

// chain links n dots from the first to a ring.
func (g *dots) chain(first, n int) {
	for i := range n {
		g.links = append(g.links, [2]int{first + i, first + (i+1)%n})
	}
}

func (g *dots) chords(first, n, count int) {
	for range count {
		a := g.random.IntN(n)
		g.links = append(g.links, [2]int{first + a, first + (a+2+g.random.IntN(n-3))%n})
	}
}

func (g *dots) line() {
	for i := range 9 {
		x := float64(i)
		g.at = append(g.at, [2]float64{16 + 16*x, 80 + 26*math.Sin(x*0.8)})
		if i > 0 {
			g.links = append(g.links, [2]int{i - 1, i})
		}
	}
}

func (g *dots) grid() {
	const side = 5
	for i := range side * side {
		g.at = append(g.at, [2]float64{24 + 28*float64(i%side), 24 + 28*float64(i/side)})
		if i%side > 0 {
			g.links = append(g.links, [2]int{i - 1, i})
		}
		if i >= side {
			g.links = append(g.links, [2]int{i - side, i})
		}
	}
}

func (g *dots) tree() {
	g.at = append(g.at, [2]float64{80, 26})
	for i := range 3 {
		g.at = append(g.at, [2]float64{28 + 52*float64(i), 76})
		g.links = append(g.links, [2]int{0, i + 1})
	}
	for i := range 9 {
		g.at = append(g.at, [2]float64{14 + 16.5*float64(i), 130})
		g.links = append(g.links, [2]int{1 + i/3, len(g.at) - 1})
	}
}

func (g *dots) star() {
	g.circle(80, 80, 58, 14)
	g.at = append(g.at, [2]float64{80, 80})
	for i := range 14 {
		g.links = append(g.links, [2]int{i, 14})
	}
}

func (g *dots) regions(n int) {
	const each = 7
	for k := range n {
		a := 2*math.Pi*float64(k)/float64(n) - math.Pi/4
		first := len(g.at)
		g.circle(80+46*math.Cos(a), 80+46*math.Sin(a), 22, each)
		g.chain(first, each)
		g.chords(first, each, 4)
	}
	for k := range n {
		for j := range k {
			g.far = append(g.far, [2]int{k*each + g.random.IntN(each), j*each + g.random.IntN(each)})
		}
	}
}

func (g *dots) svg() template.HTML {
	s := new(svg)
	s.WriteString(`<svg class="glyph" viewBox="0 0 160 160" aria-hidden="true">`)
	for class, links := range [][][2]int{g.far, g.links} {
		for _, l := range links {
			a, b := g.at[l[0]], g.at[l[1]]
			s.el(`<line class="g%d" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, px(a[0]), px(a[1]), px(b[0]), px(b[1]))
		}
	}
	for _, d := range g.at {
		s.el(`<circle cx="%s" cy="%s" r="3.6"/>`, px(d[0]), px(d[1]))
	}
	s.WriteString("</svg>")
	return template.HTML(s.String()) // numbers only
}
