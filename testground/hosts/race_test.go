//go:build race

package hosts

// Under the race detector a host takes 8 MiB, and above 150 hosts in a bubble
// the detector itself crashes (Go 1.26, StackDepot::Put).
func init() { most = 60 }
