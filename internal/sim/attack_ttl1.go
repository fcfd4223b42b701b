package sim

import "github.com/meshnode/meshnode/pkg/mesh"

// ttl1 sends floods and probes on with one hop left, to cut them short behind
// it.
type ttl1 struct{ honest }

func (*ttl1) leaves(_ *sim, _, _ int32, f *flight) bool {
	if f.carries == carriesFrame && mesh.HopFlags(f.flags)&(mesh.FlagFlood|mesh.FlagProbe) != 0 {
		f.ttl = 1
	}
	return true
}
