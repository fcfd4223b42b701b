//go:build !race

package servicerouting

const raceEnabled = false
