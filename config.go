package meshnode

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// Config of a node. DefaultConfig fills what has a default.
type Config struct {
	// Name of the node, for people: 1 to 128 of [a-z0-9._-], or empty.
	Name string
	// Network the node is in. Default "default".
	Network string
	// NetworkKey is a pre-shared key of 32 bytes, or nil. With a key the
	// network is closed, and speaks TCP only.
	NetworkKey []byte
	// Profile sizes the node: lan (the default), edge, server or relay.
	Profile string
	// Listen are multiaddrs. Default: TCP and QUIC on a free port of every
	// interface.
	Listen []string
	// Announce are multiaddrs to tell others beside the ones listened on.
	Announce []string
	// Peers are multiaddrs, with /p2p/ID, of nodes to stay connected to.
	Peers []string
	// MDNS finds nodes on the LAN. Default on.
	MDNS bool
	// Transports build libp2p's transports in place of TCP and QUIC, and may
	// change its host besides: for tests, and for embedders that bring their
	// own. Listen must then be given.
	Transports []libp2p.Option
	// DataDir keeps the identity and the peers met. Empty: the node is
	// ephemeral, its identity new, and nothing is left behind.
	DataDir string
	// Identity is used in place of the one in DataDir.
	Identity crypto.PrivKey
	// Agent is the program and version told to neighbours.
	Agent string
	// QueuePause and QueueResume bound the bytes waiting for all links: local
	// publishers are paused from the one to the other. Default 50 and 25 MiB.
	QueuePause, QueueResume int
	// Zone is where the node is, the widest level first: "region=eu,rack=7".
	// Its services state it, and of several able providers those that share
	// more of it are asked first. Empty: nowhere in particular.
	Zone string
	// Concurrency is how many messages a handler works on at a time. Default 64.
	Concurrency int
	// Logger gets what happens. Default: nothing is logged.
	Logger *slog.Logger
}

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{
		Network: "default", Profile: "lan", MDNS: true, Agent: "meshnode/" + Version,
		QueuePause: 50 << 20, QueueResume: 25 << 20, Concurrency: 64,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// Validate names the first field that is out of range, its value and what it
// may be.
func (c *Config) Validate() error {
	if c.Name != "" {
		if err := mesh.ValidName("node name", c.Name); err != nil {
			return fmt.Errorf("name: %w", err)
		}
	}
	if err := mesh.ValidName("network name", c.Network); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if n := len(c.NetworkKey); n != 0 && n != 32 {
		return fmt.Errorf("network key has %d bytes: need 32", n)
	}
	switch c.Profile {
	case "lan", "edge", "server", "relay":
	default:
		return fmt.Errorf("profile is %q: need lan, edge, server or relay", c.Profile)
	}
	if c.QueueResume < 1<<20 || c.QueuePause < c.QueueResume {
		return fmt.Errorf("queue pause is %d and resume %d bytes: need 1 MiB <= resume <= pause", c.QueuePause, c.QueueResume)
	}
	if _, err := c.zone(); err != nil {
		return err
	}
	if c.Concurrency < 1 || c.Concurrency > 1<<16 {
		return fmt.Errorf("concurrency is %d: need 1 to 65536", c.Concurrency)
	}
	return nil
}

// zone gives the levels of Zone.
func (c *Config) zone() ([]router.Level, error) {
	if c.Zone == "" {
		return nil, nil
	}
	var out []router.Level
	for level := range strings.SplitSeq(c.Zone, ",") {
		name, value, ok := strings.Cut(level, "=")
		err := mesh.ValidAttributes(mesh.Attributes{name: value})
		again := slices.ContainsFunc(out, func(l router.Level) bool { return l.Name == name })
		if !ok || err != nil || again || len(out) == router.MaxZone {
			return nil, fmt.Errorf("zone is %q: need up to %d levels, each once, the widest first, like region=eu,rack=7: %w", c.Zone, router.MaxZone, mesh.ErrMalformed)
		}
		out = append(out, router.Level{Name: name, Value: value})
	}
	return out, nil
}

// IdentityFile is where a node keeps its key in a data directory.
func IdentityFile(dataDir string) string { return filepath.Join(dataDir, "identity.key") }

// Option changes the Config that New starts from.
type Option func(*Config) error

// WithConfig takes a whole Config.
func WithConfig(c Config) Option { return func(o *Config) error { *o = c; return nil } }

// WithName names the node, for people.
func WithName(name string) Option { return func(o *Config) error { o.Name = name; return nil } }

// WithNetwork says which network the node is in.
func WithNetwork(name string) Option { return func(o *Config) error { o.Network = name; return nil } }

// WithNetworkKey closes the network to who has the key of 32 bytes.
func WithNetworkKey(key []byte) Option {
	return func(o *Config) error { o.NetworkKey = key; return nil }
}

// WithProfile sizes the node: lan, edge, server or relay.
func WithProfile(profile string) Option {
	return func(o *Config) error { o.Profile = profile; return nil }
}

// WithListen says where to listen, as multiaddrs.
func WithListen(addrs ...string) Option {
	return func(o *Config) error { o.Listen = addrs; return nil }
}

// WithPeers names nodes to stay connected to, as multiaddrs with /p2p/ID.
func WithPeers(addrs ...string) Option {
	return func(o *Config) error { o.Peers = append(o.Peers, addrs...); return nil }
}

// WithMDNS turns finding nodes on the LAN on or off.
func WithMDNS(on bool) Option { return func(o *Config) error { o.MDNS = on; return nil } }

// WithTransports builds libp2p's transports in place of TCP and QUIC; where to
// listen must then be said.
func WithTransports(opts ...libp2p.Option) Option {
	return func(o *Config) error { o.Transports = opts; return nil }
}

// WithZone says where the node is, the widest level first: "region=eu,rack=7".
func WithZone(zone string) Option { return func(o *Config) error { o.Zone = zone; return nil } }

// WithDataDir keeps identity and peers in a directory.
func WithDataDir(dir string) Option { return func(o *Config) error { o.DataDir = dir; return nil } }

// WithIdentity uses a key in place of a kept or a new one.
func WithIdentity(key crypto.PrivKey) Option {
	return func(o *Config) error { o.Identity = key; return nil }
}

// WithLogger says where to log.
func WithLogger(l *slog.Logger) Option { return func(o *Config) error { o.Logger = l; return nil } }
