package report

import (
	"strconv"
	"strings"
)

// bound is an expectation of a scenario, ">= 0.9999".
type bound struct {
	op    string
	value float64
}

// parseBound reads a bound; what is none is no error here, since the
// simulator has refused it before.
func parseBound(s string) (bound, bool) {
	for _, op := range []string{">=", "<=", "=="} {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(s), op); ok {
			x, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return bound{op, x}, err == nil
		}
	}
	return bound{}, false
}

func (b bound) holds(x float64) bool {
	switch b.op {
	case ">=":
		return x >= b.value
	case "<=":
		return x <= b.value
	}
	return x == b.value
}

// words says the bound as people do.
func (b bound) words(u Unit) string {
	relation := map[string]string{">=": "at least ", "<=": "at most ", "==": "exactly "}
	return relation[b.op] + u.Format(b.value)
}
