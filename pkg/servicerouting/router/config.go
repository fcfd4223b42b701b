package router

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Config holds the caps and times of a Router. DefaultConfig fills it.
type Config struct {
	// Network is what a frame's envelope must name; zero accepts any.
	Network mesh.Network
	// Rings are the TTLs of the expanding ring of probes. Default 1, 2, 4, 10.
	Rings []uint8
	// RingWait is how long each ring may stay silent before the next is sent
	// too; the last may be sent twice. Together they bound the time to "no
	// provider". Default 80, 160, 260, 250 ms: 1 s.
	RingWait []time.Duration
	// NegativeTTL is how long "no provider" is remembered. Default 1 s, at most 1 s.
	NegativeTTL time.Duration
	// Retry is the time without a word after which the same provider is asked
	// again; it doubles to RetryMax. Default 1 s and 8 s.
	Retry, RetryMax time.Duration
	// PruneTTL is how long a prune holds that no flood uses; one in use holds
	// for 16 min. Default 60 s.
	PruneTTL time.Duration
	// RouteTTL is how long a route lives that nothing confirms. Default 5 min.
	RouteTTL time.Duration
	// OfferFor is how long after the last answer by a way its end is named to
	// others that look for it. Default 2 min.
	OfferFor time.Duration
	// Improve is how many questions a second may go out in the background:
	// for shorter ways, and for more and nearer providers. Default 0.1.
	Improve float64
	// Zone is where this node is, the widest level first: a provider that
	// shares more of it is asked first. Default none.
	Zone []Level
	// MaxInFlight is the number of frames that may wait for answers on one
	// link; more push out the oldest. Default 16384.
	MaxInFlight int
	// MaxSeen is the number of frame keys in one of the two generations of
	// the seen-set. Default 131072.
	MaxSeen int
	// MaxRoutes is the number of nodes to which routes are kept. Default 16384.
	MaxRoutes int
	// FarRoutes is the number of routes above which none is kept to an origin
	// that is more than two hops away and is only heard of. Default 128.
	FarRoutes int
	// MaxServices and MaxProviders cap the table of known providers: services,
	// and providers of one. Default 4096 and 64.
	MaxServices, MaxProviders int
	// MaxPrunes caps the table of prunes. Default 16384.
	MaxPrunes int
	// MaxPending is the number of publications in flight. Default 65536.
	MaxPending int
}

// MaxZone is the largest number of levels of a zone.
const MaxZone = 8

// Level is one level of a zone: an attribute and its value, as providers
// state it.
type Level struct{ Name, Value string }

// DefaultConfig gives the defaults.
func DefaultConfig() Config {
	return Config{
		Rings:        []uint8{1, 2, 4, 10},
		RingWait:     []time.Duration{80 * time.Millisecond, 160 * time.Millisecond, 260 * time.Millisecond, 250 * time.Millisecond},
		NegativeTTL:  time.Second,
		Retry:        time.Second,
		RetryMax:     8 * time.Second,
		PruneTTL:     60 * time.Second,
		RouteTTL:     5 * time.Minute,
		OfferFor:     2 * time.Minute,
		Improve:      0.1,
		MaxInFlight:  16384,
		MaxSeen:      1 << 17,
		MaxRoutes:    16384,
		FarRoutes:    128,
		MaxServices:  4096,
		MaxProviders: 64,
		MaxPrunes:    16384,
		MaxPending:   65536,
	}
}

// Validate names the first field that is out of range.
func (c *Config) Validate() error {
	if len(c.Rings) == 0 || len(c.Rings) != len(c.RingWait) {
		return fmt.Errorf("router: Rings has %d entries and RingWait %d: need as many, at least 1", len(c.Rings), len(c.RingWait))
	}
	if c.NegativeTTL < 0 || c.NegativeTTL > time.Second {
		return fmt.Errorf("router: NegativeTTL is %v: need 0 to 1s", c.NegativeTTL)
	}
	if c.Improve < 0 || c.Improve > 1000 {
		return fmt.Errorf("router: Improve is %v: need 0 to 1000", c.Improve)
	}
	if len(c.Zone) > MaxZone {
		return fmt.Errorf("router: Zone has %d levels: need at most %d", len(c.Zone), MaxZone)
	}
	for _, f := range []struct {
		name string
		v    int
	}{
		{"MaxInFlight", c.MaxInFlight}, {"MaxSeen", c.MaxSeen}, {"MaxRoutes", c.MaxRoutes},
		{"FarRoutes", c.FarRoutes}, {"MaxServices", c.MaxServices}, {"MaxProviders", c.MaxProviders},
		{"MaxPrunes", c.MaxPrunes}, {"MaxPending", c.MaxPending},
	} {
		if f.v < 1 {
			return fmt.Errorf("router: %s is %d: need at least 1", f.name, f.v)
		}
	}
	return nil
}
