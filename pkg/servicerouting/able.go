package servicerouting

import "github.com/meshnode/meshnode/pkg/mesh"

// able gives the handlers that match a selector, of the best rank by its
// preferences. h.mu is held.
func (h *handlers) able(name string, sel mesh.Selector) []*registration {
	var out []*registration
	best := 0
	for _, reg := range h.byName[name] {
		if !sel.Match(reg.attrs) {
			continue
		}
		rank := sel.Unmet(reg.attrs)
		if len(out) > 0 && rank < best {
			out = out[:0]
		}
		if len(out) == 0 || rank == best {
			out, best = append(out, reg), rank
		}
	}
	return out
}
