package report

import (
	"math"
	"strconv"
)

// scale maps values to places on an axis.
type scale struct {
	lo, hi   float64 // values at the ends
	from, to float64 // places of the ends
	log      bool
}

func (s scale) at(x float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, x = math.Log10(lo), math.Log10(hi), math.Log10(x)
	}
	if hi == lo {
		return (s.from + s.to) / 2
	}
	return s.from + (x-lo)/(hi-lo)*(s.to-s.from)
}

// step is the round distance (1, 2 or 5 times a power of ten) that parts a
// span into at most n.
func step(span float64, n int) float64 {
	if span <= 0 {
		return 1
	}
	raw := span / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{1, 2, 5} {
		if k*unit >= raw*(1-1e-9) {
			return k * unit
		}
	}
	return 10 * unit
}

// ticks are the round values of the scale, n at most, or a few more of a
// logarithmic one.
func (s scale) ticks(n int) []float64 {
	if s.log {
		return s.decades()
	}
	d := step(s.hi-s.lo, n)
	var out []float64
	for k := math.Ceil(s.lo/d - 1e-9); k*d <= s.hi+d*1e-9; k++ {
		out = append(out, k*d)
	}
	return out
}

// decades are 1, 10, 100, and 2 and 5 between them when there are few.
func (s scale) decades() []float64 {
	few := math.Log10(s.hi/s.lo) < 3
	var out []float64
	for unit := math.Pow(10, math.Floor(math.Log10(s.lo))); unit <= s.hi; unit *= 10 {
		for _, k := range []float64{1, 2, 5} {
			if x := k * unit; x >= s.lo && x <= s.hi && (k == 1 || few) {
				out = append(out, x)
			}
		}
	}
	return out
}

// roomy widens a span of values to round ends, from zero unless the values lie
// close together far from it.
func roomy(lo, hi float64, n int) (float64, float64) {
	if lo >= 0 && lo < hi*0.75 || hi == lo {
		lo = min(lo, 0)
	}
	if hi == lo {
		hi = lo + 1
	}
	d := step(hi-lo, n)
	return math.Floor(lo/d+1e-9) * d, math.Ceil(hi/d-1e-9) * d
}

// label writes the number at a tick.
func label(x float64, share bool) string {
	if x == 0 {
		x = 0 // not -0
	}
	if share {
		return trim(strconv.FormatFloat(x*100, 'f', 3, 64)) + "%"
	}
	a := math.Abs(x)
	switch {
	case a == 0:
		return "0"
	case a >= 1e6:
		return trim(strconv.FormatFloat(x/1e6, 'f', 2, 64)) + "M"
	case a >= 1e4:
		return trim(strconv.FormatFloat(x/1e3, 'f', 2, 64)) + "k"
	case a >= 1e-3:
		return trim(strconv.FormatFloat(x, 'f', 4, 64))
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}
