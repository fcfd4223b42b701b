package meshnode

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Ready returns when the node can send and be sent to: New has made it so
// already, unless it is draining or closed.
func (n *Node) Ready(ctx context.Context) error {
	if n.fw.Draining() {
		return fmt.Errorf("not ready: %w", mesh.ErrDraining)
	}
	return n.Wait(ctx)
}

// Condition is something to Wait for.
type Condition func(ctx context.Context, n *Node) (met bool, why string)

// PeersAtLeast waits for so many neighbours.
func PeersAtLeast(count int) Condition {
	return func(_ context.Context, n *Node) (bool, string) {
		have := len(n.fw.Neighbours())
		return have >= count, fmt.Sprintf("%d of %d peers", have, count)
	}
}

// MembersAtLeast waits for so many neighbours in a group.
func MembersAtLeast(group string, count int) Condition {
	return func(_ context.Context, n *Node) (bool, string) {
		have := n.groups.Members(group)
		return have >= count, fmt.Sprintf("%d of %d neighbours in group %s", have, count, group)
	}
}

// ServiceKnown waits until a provider of the service can be reached.
func ServiceKnown(service string) Condition {
	return func(ctx context.Context, n *Node) (bool, string) {
		p, err := n.Resolve(ctx, service)
		if err != nil {
			return false, err.Error()
		}
		return len(p) > 0, "no provider of " + service
	}
}

// Wait returns when all conditions hold at once, or with ctx's error and what
// is still missing.
func (n *Node) Wait(ctx context.Context, conds ...Condition) error {
	for {
		if n.isClosed() {
			return ErrClosed
		}
		changed := n.fw.Changed()
		missing := ""
		for _, c := range conds {
			if met, why := c(ctx, n); !met {
				missing = why
				break
			}
		}
		if missing == "" {
			return nil
		}
		// A service elsewhere does not announce itself to us: look again.
		again := time.NewTimer(250 * time.Millisecond)
		select {
		case <-ctx.Done():
			again.Stop()
			return fmt.Errorf("still waiting: %s: %w", missing, ctx.Err())
		case <-n.done:
		case <-changed:
		case <-again.C:
		}
		again.Stop()
	}
}

// Resolve gives the providers known for an address, this node among them,
// after a probe when none is known; then ErrNoProvider when nobody answers,
// and ErrIncapable too when some do and none matches. Those that meet more of
// what the selector prefers come first.
func (n *Node) Resolve(ctx context.Context, to string) ([]ProviderInfo, error) {
	addr, err := n.address(to)
	if err == nil && addr.Kind != mesh.KindService {
		err = fmt.Errorf("resolve %s: need a service: %w", to, mesh.ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	known := func() []ProviderInfo {
		able := slices.DeleteFunc(n.providers(addr.Name), func(p ProviderInfo) bool { return !addr.Selector.Match(p.Attributes) })
		slices.SortStableFunc(able, func(a, b ProviderInfo) int {
			return addr.Selector.Unmet(a.Attributes) - addr.Selector.Unmet(b.Attributes)
		})
		return able
	}
	if p := known(); len(p) > 0 {
		return p, nil
	}
	if err := n.fw.Find(ctx, addr); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", to, n.explain(addr, err))
	}
	if p := known(); len(p) > 0 {
		return p, nil
	}
	return nil, fmt.Errorf("resolve %s: %w", to, n.explain(addr, mesh.ErrNoProvider))
}

// providers lists who is known to serve a service, this node's handlers first.
func (n *Node) providers(service string) []ProviderInfo {
	var out []ProviderInfo
	local, load := n.fw.Local()
	for _, attrs := range local[service] {
		out = append(out, ProviderInfo{Peer: n.ID(), Local: true, Attributes: attrs, Load: load[service], Success: 1})
	}
	for _, p := range n.fw.Providers(service) {
		if p.Reachable {
			out = append(out, ProviderInfo{
				Peer: p.Peer, Attributes: p.Attributes, Hops: int(p.Hops), RTT: p.RTT, Load: int(p.Load),
				Success: p.Success, Cost: p.Cost, Age: p.Age,
			})
		}
	}
	return out
}

// Services lists the services this node serves or knows a provider of.
func (n *Node) Services() []ServiceInfo {
	local, _ := n.fw.Local()
	names := n.fw.Known()
	for s := range local {
		names = append(names, s)
	}
	slices.Sort(names)
	var out []ServiceInfo
	for _, s := range slices.Compact(names) {
		if strings.HasPrefix(s, "_") {
			continue
		}
		out = append(out, ServiceInfo{Name: s, Handlers: len(local[s]), Providers: n.providers(s)})
	}
	return out
}

// Routes lists the known ways to nodes.
func (n *Node) Routes() []RouteInfo {
	var out []RouteInfo
	for _, r := range n.fw.Routes() {
		out = append(out, RouteInfo{To: r.To, Via: r.Via, Hops: int(r.Hops), Proven: r.Proven, RTT: r.RTT, Age: r.Age})
	}
	return out
}

// Peers lists the neighbours.
func (n *Node) Peers() []PeerInfo {
	all := n.fw.Neighbours()
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []PeerInfo
	for _, nb := range all {
		l, ok := n.peers[nb.Peer]
		if !ok {
			continue
		}
		p := PeerInfo{
			ID: nb.Peer, Name: l.Hello.NodeName, Agent: l.Hello.Agent, State: "up", RTT: nb.RTT,
			Since: nb.Since, Queued: nb.Queued, InFlight: nb.InFlight,
		}
		if nb.Suspect {
			p.State = "suspect"
		}
		if l.Conn != nil {
			p.Address = l.Conn.RemoteMultiaddr().String()
			p.Transport = transportOf(l.Conn.RemoteMultiaddr())
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b PeerInfo) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

func transportOf(a multiaddr.Multiaddr) string {
	name := ""
	for _, c := range a {
		switch c.Protocol().Code {
		case multiaddr.P_CIRCUIT:
			return "relay"
		case multiaddr.P_TCP:
			name = "tcp"
		case multiaddr.P_QUIC_V1:
			name = "quic"
		}
	}
	return name
}

// Status gives the node at a glance.
func (n *Node) Status() Status {
	local, _ := n.fw.Local()
	var services []string
	for s := range local {
		if !strings.HasPrefix(s, "_") {
			services = append(services, s)
		}
	}
	slices.Sort(services)
	state := "ready"
	if n.fw.Draining() {
		state = "draining"
	}
	counters := n.fw.Counters()
	counters["group_dropped_out"], counters["group_dropped_in"] = n.groups.Dropped()
	for k, v := range n.tr.Counters() {
		counters[k] = v
	}
	return Status{
		ID: n.ID(), Name: n.cfg.Name, Network: n.cfg.Network, Open: len(n.cfg.NetworkKey) == 0, Profile: n.cfg.Profile,
		State: state, Version: Version, Listen: n.Addrs(), Started: n.started, Peers: len(n.fw.Neighbours()),
		Services: services, Routes: len(n.fw.Routes()), Queued: n.fw.Queued(), Counters: counters, Warnings: n.tr.Warnings(),
	}
}
