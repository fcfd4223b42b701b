//go:build race

package servicerouting

const raceEnabled = true
