package report

import "github.com/meshnode/meshnode/internal/sim"

// words says a bound as people do.
func words(b sim.Bound, u Unit) string {
	relation := map[string]string{">=": "at least ", "<=": "at most ", "==": "exactly "}
	return relation[b.Op] + u.Format(b.Value)
}
