package transport

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Delays of dials to private addresses.
const (
	nextTCP  = 30 * time.Millisecond  // as libp2p's PrivateTCPDelay
	lateQUIC = 150 * time.Millisecond // only when TCP does not answer
)

// rank orders dials. Hosts that reach each other plainly use TCP, which
// carries bulk at a third of QUIC's CPU; over the internet QUIC goes first,
// since it crosses NATs, as in libp2p's own ranking. Addresses of transports
// that the embedder brought do not wait for the others.
func rank(addrs []ma.Multiaddr) []network.AddrDelay {
	var tcp, quic, own, rest []ma.Multiaddr
	for _, a := range addrs {
		switch {
		case !isTCP(a) && !isQUIC(a) && !isRelayed(a):
			own = append(own, a)
		case isRelayed(a) || !manet.IsPrivateAddr(a):
			rest = append(rest, a)
		case isTCP(a):
			tcp = append(tcp, a)
		default:
			quic = append(quic, a)
		}
	}
	out := make([]network.AddrDelay, 0, len(addrs))
	for i, a := range tcp {
		d := nextTCP
		if i == 0 {
			d = 0
		}
		out = append(out, network.AddrDelay{Addr: a, Delay: d})
	}
	var quicDelay time.Duration
	if len(tcp) > 0 {
		quicDelay = lateQUIC
	}
	for _, a := range quic {
		out = append(out, network.AddrDelay{Addr: a, Delay: quicDelay})
	}
	for _, a := range own {
		out = append(out, network.AddrDelay{Addr: a})
	}
	return append(out, swarm.DefaultDialRanker(rest)...)
}

func isTCP(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_TCP)
	return err == nil && !has(a, ma.P_WS) && !has(a, ma.P_WSS)
}

func isQUIC(a ma.Multiaddr) bool    { return has(a, ma.P_QUIC_V1) && !has(a, ma.P_WEBTRANSPORT) }
func isRelayed(a ma.Multiaddr) bool { return has(a, ma.P_CIRCUIT) }

func has(a ma.Multiaddr, code int) bool {
	for _, c := range a {
		if c.Code() == code {
			return true
		}
	}
	return false
}
