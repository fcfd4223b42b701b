package transport

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

// Streams of one peer, per protocol and direction; libp2p's default is 64.
var streamsPerPeer = map[protocol.ID]int{
	ProtocolID:                16,
	"/meshnode/control/1.0.0": 16,
	"/meshnode/store/1.0.0":   64,
	"/meshnode/tunnel/1.0.0":  512,
	"/meshnode/kad/1.0.0":     64,
	"/meshsub/1.0.0":          8,
	"/meshsub/1.1.0":          8,
	"/meshsub/1.2.0":          8,
	"/meshsub/1.3.0":          8,
	"/floodsub/1.0.0":         8,
}

// newResourceManager bounds connections, streams and memory. libp2p allows 8
// connections, and a new one every 5 s, from one IP address, which an office
// behind a NAT, a container host or a relay exceeds at once: both are raised.
func newResourceManager(p profile) (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	conns := p.conns()
	for id, n := range streamsPerPeer {
		all := n * conns
		scaling.AddProtocolLimit(id, rcmgr.BaseLimit{StreamsInbound: all, StreamsOutbound: all, Streams: 2 * all, Memory: p.memory}, rcmgr.BaseLimitIncrease{})
		scaling.AddProtocolPeerLimit(id, rcmgr.BaseLimit{StreamsInbound: n, StreamsOutbound: n, Streams: 2 * n, Memory: 64 << 20}, rcmgr.BaseLimitIncrease{})
	}
	val := func(n int) rcmgr.LimitVal { return rcmgr.LimitVal(n) }
	limits := rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns: val(2 * conns), ConnsInbound: val(conns), ConnsOutbound: val(conns),
			Streams: val(64 * conns), StreamsInbound: val(32 * conns), StreamsOutbound: val(32 * conns),
			Memory: rcmgr.LimitVal64(p.memory),
		},
		Transient: rcmgr.ResourceLimits{
			Conns: val(conns), ConnsInbound: val(conns), ConnsOutbound: val(conns), FD: val(conns),
			Streams: val(2 * conns), StreamsInbound: val(conns), StreamsOutbound: val(conns),
		},
		PeerDefault: rcmgr.ResourceLimits{Streams: 2048, StreamsInbound: 1024, StreamsOutbound: 1024},
	}.Build(scaling.AutoScale())

	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	perAddress := rate.Limit{RPS: 20, Burst: conns}
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: conns}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: conns}},
		),
		rcmgr.WithNetworkPrefixLimit(
			[]rcmgr.NetworkPrefixLimit{{Network: loopback[0], ConnCount: 4 * conns}},
			[]rcmgr.NetworkPrefixLimit{{Network: loopback[1], ConnCount: 4 * conns}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback[0]}, {Prefix: loopback[1]}}, // not limited
			GlobalLimit:         rate.Limit{RPS: 200, Burst: 2 * conns},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: perAddress}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: perAddress}},
				GracePeriod:      time.Minute,
			},
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	return m, nil
}
