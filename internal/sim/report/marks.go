package report

import (
	"fmt"
	"math"
	"strings"
)

func (f *frame) grid(s *svg) {
	for _, y := range f.y.ticks(5) {
		s.el(`<line class="grid" x1="%s" x2="%s" y1="%[3]s" y2="%[3]s"/>`, px(left), px(right), px(f.y.at(y)))
	}
}

func (f *frame) axes(s *svg) {
	for _, y := range f.y.ticks(5) {
		s.text("tick", "end", left-8, f.y.at(y)+4, label(y, f.yShare))
	}
	s.text("axis", "start", 2, 14, f.Y)
	s.el(`<line class="base" x1="%s" x2="%s" y1="%[3]s" y2="%[3]s"/>`, px(left), px(right), px(bottom))
	last := math.Inf(-1)
	for _, x := range f.x.ticks(8) {
		if f.whole && !f.x.log && x != math.Trunc(x) {
			continue
		}
		at := f.x.at(x)
		s.el(`<line class="base" x1="%[1]s" x2="%[1]s" y1="%s" y2="%s"/>`, px(at), px(bottom), px(bottom+4))
		if at-last < 34 {
			continue
		}
		s.text("tick", "middle", at, bottom+18, label(x, f.xShare))
		last = at
	}
	s.text("axis", "end", right, height-6, f.X)
}

// marks draws spans behind the data, and later their labels in front of it.
func (f *frame) marks(s *svg, marks []Mark, front bool) {
	row := 0
	for _, m := range marks {
		from, to := max(m.From, f.x.lo), min(m.To, f.x.hi)
		if m.From > f.x.hi || m.To < f.x.lo {
			continue
		}
		x1, x2 := f.x.at(from), f.x.at(to)
		if !front {
			if x2-x1 >= 1 {
				class := "span"
				if m.Quiet {
					class = "quiet"
				}
				s.el(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, px(x1), px(top), px(x2-x1), px(bottom-top))
			} else {
				s.el(`<line class="mark" x1="%[1]s" x2="%[1]s" y1="%s" y2="%s"/>`, px(x1), px(top), px(bottom))
			}
			continue
		}
		x, anchor := x1+4, "start"
		if x1 > (left+right)/2 && x1+7*float64(len(m.Label)) > right {
			x, anchor = x1-4, "end"
		}
		s.text("note", anchor, x, top+12+float64(row%3)*13, m.Label)
		row++
	}
}

// legend names the series, right above the plot, when there are several.
func (f *frame) legend(s *svg) {
	if len(f.Series) < 2 {
		return
	}
	x := right
	for i := len(f.Series) - 1; i >= 0; i-- {
		name := f.Series[i].Name
		x -= 6.4*float64(len([]rune(name))) + 4
		s.text("tick", "start", x, 14, name)
		x -= 22
		s.el(`<line class="key s%[1]d d%[1]d" x1="%[2]s" x2="%[3]s" y1="10" y2="10"/>`, i%colours, px(x), px(x+17))
		x -= 12
	}
}

// fewBars reports whether there is room for bars side by side.
func (f *frame) fewBars() bool {
	n := 0
	for _, s := range f.Series {
		n = max(n, len(s.X))
	}
	return n*len(f.Series) <= most
}

func (f *frame) bars(s *svg) {
	for k, series := range f.Series {
		s.el(`<g class="bars s%d">`, k%colours)
		for i, x := range series.X {
			x1, x2 := f.x.at(x-f.bar/2), f.x.at(x+f.bar/2)
			if f.x.log {
				x1, x2 = f.x.at(x/math.Sqrt(f.bar)), f.x.at(x*math.Sqrt(f.bar))
			}
			gap := min(3, (x2-x1)*0.15)
			each := (x2 - x1 - gap) / float64(len(f.Series))
			x1 += gap/2 + float64(k)*each
			y := f.y.at(series.Y[i])
			s.el(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s">%s</rect>`, px(x1), px(y), px(max(each, 0.5)), px(max(bottom-y, 0)),
				px(min(2, each/3)), hover(f.point(series.Name, x, series.Y[i])))
		}
		s.WriteString("</g>")
	}
}

func (f *frame) lines(s *svg) {
	for k, series := range f.Series {
		var d strings.Builder
		for i, x := range series.X {
			op := "L"
			if i == 0 {
				op = "M"
			}
			fmt.Fprintf(&d, "%s%s %s", op, px(f.x.at(x)), px(f.y.at(series.Y[i])))
		}
		if len(f.Series) == 1 && len(series.X) > 1 {
			s.el(`<path class="area s%d" d="%sL%s %sL%s %sZ"/>`, k%colours, d.String(),
				px(f.x.at(series.X[len(series.X)-1])), px(bottom), px(f.x.at(series.X[0])), px(bottom))
		}
		s.el(`<path class="line s%[1]d d%[1]d" d="%s">%s</path>`, k%colours, d.String(), hover(series.Name))
		if len(series.X) == 1 {
			s.el(`<circle class="dot s%d" cx="%s" cy="%s" r="3.5"/>`, k%colours, px(f.x.at(series.X[0])), px(f.y.at(series.Y[0])))
		}
	}
}

// point says a bar in words.
func (f *frame) point(name string, x, y float64) string {
	out := label(x, f.xShare) + ": " + label(y, f.yShare)
	if name != "" && len(f.Series) > 1 {
		out = name + ", " + out
	}
	return out
}
