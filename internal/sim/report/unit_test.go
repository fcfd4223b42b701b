package report

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/meshnode/meshnode/internal/sim"
)

func parse(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Error(err)
	}
	return v
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		unit Unit
		x    float64
		want string
	}{
		{Share, 1, "100 %"}, {Share, 0.99999, "99.999 %"}, {Share, 0.9999999, "99.9999 %"}, {Share, 0.999, "99.9 %"}, {Share, 0, "0 %"}, {Share, 0.123456, "12.35 %"},
		{Ratio, 1.0251, "1.03×"}, {Ratio, 1, "1.00×"},
		{Milliseconds, 0, "0"}, {Milliseconds, 0.25, "0.25 ms"}, {Milliseconds, 999.9, "1000 ms"}, {Milliseconds, 12.34, "12.3 ms"}, {Milliseconds, 3300, "3.3 s"},
		{Seconds, 15, "15 s"}, {Seconds, 150, "2m30s"},
		{Bytes, 12, "12 B/s"}, {Bytes, 1234, "1.2 kB/s"}, {Bytes, 5e12, "5 TB/s"}, {Bytes, 5e16, "50000 TB/s"},
		{Count, 0, "0"}, {Count, 1234567, "1,234,567"}, {Count, -1234, "-1,234"}, {Count, 999, "999"}, {Count, 2.468, "2.47"}, {Count, 0.001234, "0.0012"}, {Count, 123.456, "123.5"},
		{Count, math.NaN(), "unknown"}, {Share, math.Inf(1), "unknown"},
	} {
		if got := tt.unit.Format(tt.x); got != tt.want {
			t.Errorf("%d %v: %q, want %q", tt.unit, tt.x, got, tt.want)
		}
	}
}

func TestBound(t *testing.T) {
	for _, tt := range []struct {
		text  string
		x     float64
		holds bool
		words string
	}{
		{">= 0.5", 0.5, true, "at least 50 %"}, {">= 0.5", 0.4, false, "at least 50 %"},
		{"<= 0.5", 0.5, true, "at most 50 %"}, {"<= 0.5", 0.6, false, "at most 50 %"},
		{"== 0", 0, true, "exactly 0 %"}, {"== 0", 0.1, false, "exactly 0 %"},
	} {
		b, err := sim.ParseBound(tt.text)
		if err != nil || b.Holds(tt.x) != tt.holds || words(b, Share) != tt.words {
			t.Errorf("%s: %+v %v, %v, %s", tt.text, b, err, b.Holds(tt.x), words(b, Share))
		}
	}
	for _, bad := range []string{"", "0.5", ">= x", "> 5"} {
		if b, err := sim.ParseBound(bad); err == nil {
			t.Errorf("%q: %+v", bad, b)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		lo, hi float64
		n      int
		log    bool
		want   []float64
	}{
		{0, 100, 5, false, []float64{0, 20, 40, 60, 80, 100}},
		{0, 7, 5, false, []float64{0, 2, 4, 6}},
		{-1, 1, 4, false, []float64{-1, -0.5, 0, 0.5, 1}},
		{3, 3, 5, false, []float64{3}},
		{1, 1000, 0, true, []float64{1, 10, 100, 1000}},
		{3, 60, 0, true, []float64{5, 10, 20, 50}},
	} {
		got := scale{lo: tt.lo, hi: tt.hi, log: tt.log}.ticks(tt.n)
		if !slices.EqualFunc(got, tt.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%v to %v: %v, want %v", tt.lo, tt.hi, got, tt.want)
		}
	}
}

func TestRoomy(t *testing.T) {
	for _, tt := range []struct{ lo, hi, wantLo, wantHi float64 }{
		{0, 93, 0, 100}, {40, 93, 0, 100}, {0.97, 1, 0.97, 1}, {5, 5, 0, 5}, {0, 0, 0, 1}, {-3, -1, -3, -1},
	} {
		if lo, hi := roomy(tt.lo, tt.hi, 5); math.Abs(lo-tt.wantLo) > 1e-9 || math.Abs(hi-tt.wantHi) > 1e-9 {
			t.Errorf("%v to %v: %v to %v", tt.lo, tt.hi, lo, hi)
		}
	}
}

func TestGrowth(t *testing.T) {
	for _, tt := range []struct {
		xs []float64
		ok bool
	}{
		{[]float64{1, 2, 4, 8, 32}, true}, // with a gap
		{[]float64{1, 2, 3, 4, 5, 6}, false},
		{[]float64{0, 1, 2, 4, 8, 16}, false},
		{[]float64{1, 2}, false},
	} {
		if f, ok := growth(tt.xs); ok != tt.ok || ok && math.Abs(f-2) > 1e-9 {
			t.Errorf("%v: %v, %v", tt.xs, f, ok)
		}
	}
}

func TestLabel(t *testing.T) {
	for _, tt := range []struct {
		x     float64
		share bool
		want  string
	}{
		{0, true, "0%"}, {math.Copysign(0, -1), true, "0%"}, {math.Copysign(0, -1), false, "0"}, {0.975, true, "97.5%"}, {1, true, "100%"},
		{2500, false, "2500"}, {15000, false, "15k"}, {2.5e6, false, "2.5M"}, {0.25, false, "0.25"}, {1e-9, false, "1e-09"}, {-20000, false, "-20k"},
	} {
		if got := label(tt.x, tt.share); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.x, got, tt.want)
		}
	}
}
