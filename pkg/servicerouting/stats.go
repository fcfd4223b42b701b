package servicerouting

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// counters count since the start. At rest, accepted is the sum of acked,
// expired, rejected and what is in flight.
type counters struct {
	accepted, acked, expired, rejected   atomic.Uint64 // of this node's publishers
	handled, duplicates, panics, busy    atomic.Uint64 // of this node's handlers
	malformed, badProof, dropped, cutOff atomic.Uint64
}

// settle counts the final word on a publication.
func (c *counters) settle(st mesh.Status) {
	switch {
	case st == mesh.StatusOK || st == mesh.StatusHeld:
		c.acked.Add(1)
	case st/100 == 5 || st == mesh.StatusExpired:
		c.expired.Add(1)
	default:
		c.rejected.Add(1)
	}
}

// Counters gives every counter by name; docs/operations.md explains each.
func (f *Forwarder) Counters() map[string]uint64 {
	c := &f.counters
	f.mu.Lock()
	rs := f.r.Stats()
	inFlight := f.r.Pending()
	f.mu.Unlock()
	return map[string]uint64{
		"accepted": c.accepted.Load(), "acked": c.acked.Load(), "expired": c.expired.Load(),
		"rejected": c.rejected.Load(), "in_flight": uint64(inFlight),
		"handled": c.handled.Load(), "handler_duplicates": c.duplicates.Load(),
		"handler_panics": c.panics.Load(), "handler_busy": c.busy.Load(),
		"malformed": c.malformed.Load() + rs.Malformed, "bad_proof": c.badProof.Load(),
		"dropped": c.dropped.Load(), "links_cut": c.cutOff.Load(),
		"forwarded": rs.Forwarded, "delivered": rs.Delivered, "frame_duplicates": rs.Duplicates,
		"frame_expired": rs.Expired, "no_route": rs.NoRoute, "rerouted": rs.Rerouted,
		"probes_background": rs.Asked, "probes_joined": rs.Joined, "providers_named": rs.Named,
		"probes": rs.Probes, "floods": rs.Floods, "pruned": rs.Pruned, "stray_receipts": rs.Stray,
	}
}

// Neighbour describes a link.
type Neighbour struct {
	Peer     peer.ID
	Since    time.Time
	InFlight int
	link.Stats
}

// Neighbours lists the links.
func (f *Forwarder) Neighbours() []Neighbour {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Neighbour
	for _, n := range f.ports {
		out = append(out, Neighbour{Peer: n.peer, Since: n.since, InFlight: f.r.InFlight(n.port), Stats: n.link.Stats()})
	}
	return out
}

// Routes lists the known ways to nodes.
func (f *Forwarder) Routes() []router.RouteView {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r.Routes(f.cfg.Now())
}

// Providers lists the known providers of a service, this node not among them.
func (f *Forwarder) Providers(service string) []router.ProviderView {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r.Providers(f.cfg.Now(), service)
}

// Known lists the services with a known provider elsewhere.
func (f *Forwarder) Known() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r.Services()
}

// Local tells what this node serves: the attributes of each handler, and how
// busy they are, in percent.
func (f *Forwarder) Local() (map[string][]mesh.Attributes, map[string]int) {
	h := &f.handlers
	attrs, load := make(map[string][]mesh.Attributes), make(map[string]int)
	h.mu.Lock()
	for s, regs := range h.byName {
		for _, r := range regs {
			attrs[s] = append(attrs[s], r.attrs)
		}
	}
	h.mu.Unlock()
	for s := range attrs {
		percent, _ := f.standing(s)
		load[s] = int(percent)
	}
	return attrs, load
}

// Explain tells how each known provider of an address stands, best first.
func (f *Forwarder) Explain(to mesh.Address) []router.Candidate {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.r.Explain(f.cfg.Now(), to, mesh.MaxTTL)
}

// Changed gives a channel that is closed at the next change of links or of
// what is in flight.
func (f *Forwarder) Changed() <-chan struct{} { return f.handlers.changed() }
