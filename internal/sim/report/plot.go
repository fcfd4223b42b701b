package report

import (
	"html"
	"html/template"
	"math"
	"strings"

	"github.com/meshnode/meshnode/internal/sim"
)

// The frame of a plot, in pixels of its view box.
const (
	width, height = 560.0, 290.0
	left, right   = 52.0, 544.0
	top, bottom   = 34.0, 246.0
	most          = 220 // points a series is thinned out to
	colours       = 6   // classes s0 to s5 of the style sheet
)

// Mark is a place or a span on the axis of a plot that explains its shape.
type Mark struct {
	From, To float64 // equal for a place
	Label    string
	Quiet    bool // drawn fainter
}

// draw is one plot as SVG; empty when there is nothing to show.
func draw(p sim.Plot, marks []Mark) template.HTML {
	f, ok := frameOf(p)
	if !ok {
		return ""
	}
	s := new(svg)
	s.el(`<svg viewBox="0 0 %s %s" role="img" aria-label="%s">`, px(width), px(height), html.EscapeString(p.Name))
	f.grid(s)
	f.marks(s, marks, false)
	switch {
	case p.Bars && f.fewBars():
		f.bars(s)
	default:
		f.lines(s)
	}
	f.axes(s)
	f.marks(s, marks, true)
	f.legend(s)
	s.WriteString("</svg>")
	return template.HTML(s.String()) // built above, with every text escaped
}

// frame is a plot with its scales.
type frame struct {
	sim.Plot
	x, y   scale
	xShare bool
	yShare bool
	whole  bool    // values on the x axis are whole numbers
	bar    float64 // distance of bars, as a factor when x is logarithmic
}

func frameOf(p sim.Plot) (*frame, bool) {
	f := &frame{Plot: p, xShare: isShare(p.X), yShare: isShare(p.Y), whole: true}
	f.Series = nil
	loX, hiX, loY, hiY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, in := range p.Series {
		s := clean(in)
		if len(s.X) == 0 {
			continue
		}
		if !p.Bars {
			s = thin(s)
		} else if len(s.X) > most {
			s = average(s)
		}
		f.Series = append(f.Series, s)
		for i := range s.X {
			loX, hiX = min(loX, s.X[i]), max(hiX, s.X[i])
			loY, hiY = min(loY, s.Y[i]), max(hiY, s.Y[i])
			f.whole = f.whole && s.X[i] == math.Trunc(s.X[i])
		}
	}
	if len(f.Series) == 0 {
		return nil, false
	}
	f.x = scale{lo: loX, hi: hiX, from: left, to: right}
	if p.Bars {
		f.widen()
	}
	if p.Bars || !f.yShare { // only a share may be looked at close up
		loY = min(loY, 0)
	}
	loY, hiY = roomy(loY, hiY, 5)
	if f.yShare && hiY > 0.9 && hiY < 1.25 {
		hiY = 1
	}
	f.y = scale{lo: loY, hi: hiY, from: bottom, to: top}
	return f, true
}

// widen makes room for whole bars at the ends of the x axis, which becomes
// logarithmic when the bars grow by a factor.
func (f *frame) widen() {
	xs := f.Series[0].X
	for _, s := range f.Series {
		if len(s.X) > len(xs) {
			xs = s.X
		}
	}
	f.bar = 1
	if factor, ok := growth(xs); ok {
		f.x.log, f.bar = true, factor
		f.x.lo /= math.Sqrt(factor)
		f.x.hi *= math.Sqrt(factor)
		return
	}
	for i := 1; i < len(xs); i++ {
		if d := xs[i] - xs[i-1]; d > 0 && (i == 1 || d < f.bar) {
			f.bar = d
		}
	}
	f.x.lo -= f.bar / 2
	f.x.hi += f.bar / 2
}

// growth is the factor between neighbours when it is the same all along.
func growth(xs []float64) (float64, bool) {
	if len(xs) < 5 || xs[0] <= 0 {
		return 0, false
	}
	factor := math.Inf(1)
	for i := 1; i < len(xs); i++ {
		factor = min(factor, xs[i]/xs[i-1])
	}
	if factor < 1.05 {
		return 0, false
	}
	for i := 1; i < len(xs); i++ {
		steps := math.Log(xs[i]/xs[i-1]) / math.Log(factor)
		if math.Abs(steps-math.Round(steps)) > 0.05 {
			return 0, false
		}
	}
	return factor, true
}

func isShare(axis string) bool {
	axis = strings.ToLower(axis)
	return strings.Contains(axis, "share")
}

// clean drops what has no place: points that are no number, or without a pair.
func clean(s sim.Series) sim.Series {
	out := sim.Series{Name: s.Name}
	for i := range min(len(s.X), len(s.Y)) {
		if sum := s.X[i] + s.Y[i]; !math.IsNaN(sum) && !math.IsInf(sum, 0) {
			out.X, out.Y = append(out.X, s.X[i]), append(out.Y, s.Y[i])
		}
	}
	return out
}

// thin keeps the least and the greatest of each stretch of a long line, so
// that no dip disappears.
func thin(s sim.Series) sim.Series {
	if len(s.X) <= 2*most {
		return s
	}
	out := sim.Series{Name: s.Name}
	for b := range most {
		from, to := b*len(s.X)/most, (b+1)*len(s.X)/most
		least, greatest := from, from
		for i := from; i < to; i++ {
			if s.Y[i] < s.Y[least] {
				least = i
			}
			if s.Y[i] > s.Y[greatest] {
				greatest = i
			}
		}
		for _, i := range []int{min(least, greatest), max(least, greatest)} {
			out.X, out.Y = append(out.X, s.X[i]), append(out.Y, s.Y[i])
		}
	}
	return out
}

// average makes one bar of several when there are more than pixels for them.
func average(s sim.Series) sim.Series {
	out := sim.Series{Name: s.Name}
	for b := range most {
		from, to := b*len(s.X)/most, (b+1)*len(s.X)/most
		sum := 0.0
		for i := from; i < to; i++ {
			sum += s.Y[i]
		}
		out.X = append(out.X, s.X[from])
		out.Y = append(out.Y, sum/float64(to-from))
	}
	return out
}
