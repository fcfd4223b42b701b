package transport

import (
	"net"
	"net/netip"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// believable gives the addresses, of those anybody on the LAN may claim, that
// are worth a dial: on the LAN, by the ranges for private use (RFC 1918, 4193,
// 6598, 3927) or by the prefixes of our own interfaces. Loopback is kept only
// when the claim comes from this machine, which one of our own addresses in
// it shows, or which it must if there is nothing else in it.
func believable(claimed []ma.Multiaddr, ours []netip.Prefix) []ma.Multiaddr {
	var out, loopback []ma.Multiaddr
	var local bool
	for _, a := range claimed {
		ip, err := manet.ToIP(a)
		if err != nil || isRelayed(a) || !isTCP(a) && !isQUIC(a) {
			continue
		}
		at, ok := netip.AddrFromSlice(ip)
		if !ok {
			continue
		}
		at = at.Unmap()
		if at.IsLoopback() {
			loopback = append(loopback, a)
			continue
		}
		near := manet.IsPrivateAddr(a)
		for _, p := range ours {
			near = near || p.Contains(at)
			local = local || p.Addr() == at
		}
		if near {
			out = append(out, a)
		}
	}
	if local || len(out) == 0 {
		out = append(out, loopback...)
	}
	return out[:min(len(out), maxPeerAddr)]
}

// ownPrefixes gives the address and prefix of each interface.
func ownPrefixes() []netip.Prefix {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then only the private ranges are believed
	}
	out := make([]netip.Prefix, 0, len(addrs))
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return out
}
