package netns

import (
	"fmt"
	"testing"
)

// SpaceOf names a namespace as a lab of that process would.
func SpaceOf(pid int) string { return fmt.Sprintf("%s%d-1-a", prefix, pid) }

// RemoveOrphans is what the first New does.
func RemoveOrphans(t testing.TB) { removeOrphans(t) }
