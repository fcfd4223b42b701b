package transport

import (
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// newHost builds a host that does not listen yet, so that every protocol is
// registered before the first neighbour asks which there are.
func newHost(cfg *Config, key crypto.PrivKey) (host.Host, error) {
	p := profiles[cfg.Profile]
	announce, err := parseAddrs("Announce", cfg.Announce)
	if err != nil {
		return nil, err
	}
	resources, err := newResourceManager(p)
	if err != nil {
		return nil, err
	}
	// Peers without a link are trimmed first: linked ones are protected.
	conns, err := connmgr.NewConnManager(p.max+p.max/2, p.conns(), connmgr.WithGracePeriod(20*time.Second))
	if err != nil {
		resources.Close()
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	opts := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent(cfg.Agent),
		libp2p.EnableRelay(),
		libp2p.NoListenAddrs,
		libp2p.NoTransports,
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.Security(noise.ID, noise.New),
		libp2p.ResourceManager(resources),
		libp2p.ConnectionManager(conns),
		libp2p.AddrsFactory(func(found []ma.Multiaddr) []ma.Multiaddr {
			return append(slices.Clone(found), announce...)
		}),
		libp2p.DisableMetrics(),
		// The detectors refuse dials, and dial-backs for others, in meshes
		// too small to make a hundred dials.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
		libp2p.SwarmOpts(swarm.WithDialRanker(rank), swarm.WithDialTimeout(10*time.Second)),
	}
	sealed := len(cfg.NetworkKey) != 0
	if sealed {
		opts = append(opts, libp2p.PrivateNetwork(pnet.PSK(cfg.NetworkKey)))
	}
	switch {
	case len(cfg.Transports) > 0:
		opts = append(opts, cfg.Transports...)
	case sealed:
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport))
	default:
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport), libp2p.Transport(quic.NewTransport))
	}
	h, err := libp2p.New(opts...)
	if err != nil {
		resources.Close()
		conns.Close()
		return nil, fmt.Errorf("build host: %w", err)
	}
	return h, nil
}
