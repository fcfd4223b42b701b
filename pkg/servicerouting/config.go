package servicerouting

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/ledger"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Config of a Forwarder. DefaultConfig fills all but Key and Network.
type Config struct {
	// Key signs; its peer ID is this node's.
	Key crypto.PrivKey
	// Network is the key hash that every envelope must name.
	Network mesh.Network
	// Pause and Resume bound the bytes queued over all links: local publishers
	// wait from Pause until it has fallen below Resume. Default 50 and 25 MiB.
	Pause, Resume int
	// Concurrency is how many messages one handler works on at a time, unless
	// it asks for another number. Default 64.
	Concurrency int
	// HandlerQueue is how many messages wait for one handler; more are
	// answered busy. Default 4096.
	HandlerQueue int
	// HandlerBytes is how many bytes wait for all handlers. Default 32 MiB.
	HandlerBytes int
	// RecordLifetime is how long a record in a probe's answer holds. Default 10 min.
	RecordLifetime time.Duration
	// Seed settles the router's choices; 0 draws one.
	Seed uint64

	Router router.Config
	Link   link.Config
	Ledger ledger.Config

	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger gets what is swallowed. Default: nothing is logged.
	Logger *slog.Logger
}

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{
		Pause:          50 << 20,
		Resume:         25 << 20,
		Concurrency:    64,
		HandlerQueue:   4096,
		HandlerBytes:   32 << 20,
		RecordLifetime: 10 * time.Minute,
		Router:         router.DefaultConfig(),
		Link:           link.DefaultConfig(),
		Ledger:         ledger.DefaultConfig(),
		Now:            time.Now,
		Logger:         slog.New(slog.DiscardHandler),
	}
}

// Validate names the first field that is out of range.
func (c *Config) Validate() error {
	switch {
	case c.Key == nil:
		return fmt.Errorf("servicerouting: Key is not set")
	case c.Resume < 1 || c.Pause < c.Resume:
		return fmt.Errorf("servicerouting: Pause is %d and Resume %d bytes: need 0 < Resume <= Pause", c.Pause, c.Resume)
	case c.Concurrency < 1 || c.HandlerQueue < 1 || c.HandlerBytes < mesh.MaxFrame:
		return fmt.Errorf("servicerouting: Concurrency is %d, HandlerQueue %d, HandlerBytes %d: need at least 1, 1, %d", c.Concurrency, c.HandlerQueue, c.HandlerBytes, mesh.MaxFrame)
	}
	return c.Router.Validate()
}
