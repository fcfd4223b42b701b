package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bound is one expectation: an operator (>=, <= or ==) and a number.
type Bound struct {
	Op    string
	Value float64
}

// ParseBound reads ">= 0.9999".
func ParseBound(text string) (Bound, error) {
	op, number, _ := strings.Cut(strings.TrimSpace(text), " ")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || op != ">=" && op != "<=" && op != "==" {
		return Bound{}, fmt.Errorf("%q: need >=, <= or ==, a space, and a number", text)
	}
	return Bound{op, v}, nil
}

// Holds tells whether a figure is within the bound.
func (b Bound) Holds(v float64) bool {
	switch b.Op {
	case ">=":
		return v >= b.Value
	case "<=":
		return v <= b.Value
	}
	return v == b.Value
}

// knownFigure tells whether a run can have a figure of that name.
func knownFigure(name string) bool {
	return slices.Contains(figureNames, strings.TrimPrefix(name, "warmup."))
}

// missed are the expectations that do not hold, as sentences, by name.
func missed(expect map[string]string, figures map[string]float64) []string {
	var out []string
	for _, name := range sorted(expect) {
		b, err := ParseBound(expect[name])
		v, ok := figures[name]
		switch {
		case err != nil:
			out = append(out, fmt.Sprintf("%s: %v", name, err))
		case !ok:
			out = append(out, fmt.Sprintf("%s was expected to be %s %v, and nothing in this run says what it is", name, b.Op, b.Value))
		case !b.Holds(v):
			out = append(out, fmt.Sprintf("%s is %.6g, expected %s %v", name, v, b.Op, b.Value))
		}
	}
	return out
}
