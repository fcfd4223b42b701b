package api

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
)

// maxSocketPath is the longest socket path that every system takes (BSD has
// 104 bytes for it, with the closing zero).
const maxSocketPath = 103

// ParseAddr splits an API address into network ("unix" or "tcp") and address.
// It may be a socket's path, unix://PATH, host:port or http://host:port.
func ParseAddr(s string) (network, addr string, err error) {
	switch {
	case strings.HasPrefix(s, "unix://"):
		addr = strings.TrimPrefix(s, "unix://")
	case strings.HasPrefix(s, "http://"):
		return tcpAddr(s, strings.TrimSuffix(strings.TrimPrefix(s, "http://"), "/"))
	case strings.HasPrefix(s, "tcp://"):
		return tcpAddr(s, strings.TrimPrefix(s, "tcp://"))
	case strings.ContainsRune(s, filepath.Separator):
		addr = s
	default:
		return tcpAddr(s, s)
	}
	switch {
	case !filepath.IsAbs(addr):
		return "", "", Fail(ErrUsage, "api address %q: the socket's path must be absolute", s)
	case len(addr) > maxSocketPath:
		return "", "", Fail(ErrUsage, "api address %q: a socket's path has at most %d bytes, this one %d", s, maxSocketPath, len(addr))
	}
	return "unix", filepath.Clean(addr), nil
}

func tcpAddr(whole, hostport string) (string, string, error) {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", "", Fail(ErrUsage, "api address %q is neither a socket's path nor host:port", whole)
	}
	if host != "localhost" {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			return "", "", Fail(ErrConfig, "api address %q: only loopback (127.0.0.1, [::1]) is served", whole)
		}
	}
	return "tcp", hostport, nil
}
