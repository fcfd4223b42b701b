package ledger

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Config bounds a Ledger. A field that is 0 has its default.
type Config struct {
	// MaxEntries is how many deliveries are remembered. Default 1<<21.
	MaxEntries int
	// MaxBytes bounds the memory of entries, names and results together.
	// Results give way, oldest first, entries do not: a duplicate is then told
	// the status alone, or StatusUnknown when there was a reply to it. Default
	// 256 MiB, taken as it is needed: room for all entries, about 7,000 messages
	// a second that live 30 s.
	MaxBytes int
	// Grace is how long an entry outlives its message: twice the clock
	// tolerance, as both ends may be off by one. Default 4 min.
	Grace time.Duration
}

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{MaxEntries: 1 << 21, MaxBytes: 256 << 20, Grace: 2 * mesh.ClockTolerance}
}

func (c Config) withDefaults() Config {
	def := DefaultConfig()
	if c.MaxEntries <= 0 {
		c.MaxEntries = def.MaxEntries
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = def.MaxBytes
	}
	if c.Grace <= 0 {
		c.Grace = def.Grace
	}
	return c
}
