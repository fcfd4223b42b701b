package netns

import "fmt"

// NameOf names a namespace or a directory as a lab of that process would.
func NameOf(pid int) string { return fmt.Sprintf("%s%d-1-a", prefix, pid) }

// RemoveOrphans is what the first New does.
var RemoveOrphans = removeOrphans
