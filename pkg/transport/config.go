package transport

import (
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// DefaultPort is where the profiles server and relay listen unless told
// otherwise; the others take a free port.
const DefaultPort = 7471

// Config of a Transport. DefaultConfig fills it; Validate checks it.
type Config struct {
	// Identity is the node's key, Ed25519. nil draws one for this run.
	Identity crypto.PrivKey
	// Network is the name of the network, 1 to 128 of [a-z0-9._-]. Links are
	// made with nodes of the same name and key only. Default "default".
	Network string
	// NetworkKey seals the network: a pre-shared key of exactly 32 bytes, or
	// nil. A sealed network has no QUIC, which cannot be sealed.
	NetworkKey []byte
	// NodeName is shown to people; up to 128 bytes.
	NodeName string
	// Features are told to neighbours in the hello.
	Features []string
	// Agent is the program and its version. Default "meshnode".
	Agent string
	// Profile is lan, edge, server or relay: it sets how many links are
	// accepted and sought, and the sizes of the resource manager. Default lan.
	Profile string

	// Listen holds multiaddrs; each must be usable or Start fails. Empty: all
	// interfaces, TCP and QUIC, IPv4 and IPv6, as far as they work.
	Listen []string
	// Announce holds multiaddrs told to others besides those found on the
	// interfaces: a forwarded port, a public name.
	Announce []string
	// Peers are dialled and kept: multiaddrs that end in /p2p/<peer ID>.
	Peers []string
	// PeersFile remembers peers across restarts (JSON, mode 0600, 256 at
	// most). Empty: nothing is remembered.
	PeersFile string
	// MDNS finds nodes of the network on the LAN. Default true.
	MDNS bool

	// Transports build the host's transports in place of TCP and QUIC, and may
	// change the host besides: for tests, and for embedders that bring their
	// own. Listen must then be given, and it and Peers hold what they can use.
	Transports []libp2p.Option

	// Credit is what a neighbour may send us before the first grant, in
	// payload bytes. Default 4 MiB.
	Credit uint64
	// Alive reports whether the link with a peer made progress within the
	// last 3 s; it may ask the peer, and returns within 3 s. It settles
	// whether a second node with a neighbour's identity replaces the first
	// (a restart) or is refused (a copied key). nil: always alive.
	Alive func(peer.ID) bool
	// Logger gets what is swallowed. nil: nothing is logged.
	Logger *slog.Logger
}

// DefaultConfig gives the defaults of a profile.
func DefaultConfig(profile string) Config {
	return Config{Network: "default", Agent: "meshnode", Profile: profile, MDNS: profile == "lan" || profile == "edge", Credit: 4 << 20}
}

// Validate names the first field that is out of range, its value and the range.
func (c *Config) Validate() error {
	if c.Identity != nil {
		if err := checkKey(c.Identity); err != nil {
			return fmt.Errorf("Identity: %w", err)
		}
	}
	if err := mesh.ValidName("network name", c.Network); err != nil {
		return fmt.Errorf("Network is %q: %w", c.Network, err)
	}
	if n := len(c.NetworkKey); n != 0 && n != 32 {
		return fmt.Errorf("NetworkKey has %d bytes: need exactly 32, or none", n)
	}
	if _, ok := profiles[c.Profile]; !ok {
		return fmt.Errorf("Profile is %q: need lan, edge, server or relay", c.Profile)
	}
	if len(c.NodeName) > mesh.MaxName {
		return fmt.Errorf("NodeName has %d bytes: need at most %d", len(c.NodeName), mesh.MaxName)
	}
	hello := mesh.Hello{Version: mesh.Version, NetworkName: c.Network, NodeName: c.NodeName, Features: c.Features, Agent: c.Agent, Instance: ^uint64(0)}
	if b, err := hello.Encode(); err != nil || len(b) > mesh.MaxHello {
		return fmt.Errorf("Features and Agent make a hello of %d bytes: need at most %d", len(b), mesh.MaxHello)
	}
	if c.Credit == 0 {
		return fmt.Errorf("Credit is 0: need at least 1 byte")
	}
	if _, err := c.listen(); err != nil {
		return err
	}
	if _, err := parseAddrs("Announce", c.Announce); err != nil {
		return err
	}
	_, err := c.peers()
	return err
}

// listen gives the addresses to listen on; with a network key, without QUIC.
func (c *Config) listen() ([]ma.Multiaddr, error) {
	texts := c.Listen
	if len(texts) == 0 && len(c.Transports) > 0 {
		return nil, fmt.Errorf("Listen is empty: Transports need an address that they can listen on")
	}
	if len(texts) == 0 {
		texts = profiles[c.Profile].listen()
	}
	addrs, err := parseAddrs("Listen", texts)
	if err != nil {
		return nil, err
	}
	kept := addrs[:0]
	for _, a := range addrs {
		switch {
		case isQUIC(a) && len(c.NetworkKey) != 0:
		case isQUIC(a), isTCP(a), len(c.Transports) > 0:
			kept = append(kept, a)
		default:
			return nil, fmt.Errorf("Listen has %s: need /ip4/…/tcp/… or /ip4/…/udp/…/quic-v1 (or ip6)", a)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("Listen has only QUIC addresses, which a network with a key cannot use: add /ip4/0.0.0.0/tcp/0")
	}
	return kept, nil
}

func (c *Config) peers() ([]peer.AddrInfo, error) {
	out := make([]peer.AddrInfo, 0, len(c.Peers))
	for _, s := range c.Peers {
		info, err := peer.AddrInfoFromString(s)
		if err != nil || len(info.Addrs) == 0 {
			return nil, fmt.Errorf("Peers has %q: need a multiaddr like /ip4/192.0.2.7/tcp/%d/p2p/12D3Koo…", s, DefaultPort)
		}
		out = append(out, *info)
	}
	return out, nil
}

func parseAddrs(field string, texts []string) ([]ma.Multiaddr, error) {
	out := make([]ma.Multiaddr, 0, len(texts))
	for _, s := range texts {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%s has %q: need a multiaddr like /ip4/0.0.0.0/tcp/%d", field, s, DefaultPort)
		}
		out = append(out, a)
	}
	return out, nil
}
