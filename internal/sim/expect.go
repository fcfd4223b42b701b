package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// bound is one expectation: an operator and a number.
type bound struct {
	op    string
	value float64
}

func parseBound(text string) (bound, error) {
	op, number, _ := strings.Cut(strings.TrimSpace(text), " ")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || op != ">=" && op != "<=" && op != "==" {
		return bound{}, fmt.Errorf("%q: need >=, <= or ==, a space, and a number", text)
	}
	return bound{op, v}, nil
}

func (b bound) holds(v float64) bool {
	switch b.op {
	case ">=":
		return v >= b.value
	case "<=":
		return v <= b.value
	}
	return v == b.value
}

// knownFigure tells whether a run can have a figure of that name.
func knownFigure(name string) bool {
	return slices.Contains(figureNames, strings.TrimPrefix(name, "warmup."))
}

// missed are the expectations that do not hold, as sentences, by name.
func missed(expect map[string]string, figures map[string]float64) []string {
	var out []string
	for _, name := range sorted(expect) {
		b, err := parseBound(expect[name])
		v, ok := figures[name]
		switch {
		case err != nil:
			out = append(out, fmt.Sprintf("%s: %v", name, err))
		case !ok:
			out = append(out, fmt.Sprintf("%s was expected to be %s %v, and nothing in this run says what it is", name, b.op, b.value))
		case !b.holds(v):
			out = append(out, fmt.Sprintf("%s is %.6g, expected %s %v", name, v, b.op, b.value))
		}
	}
	return out
}
