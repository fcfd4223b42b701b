package transport

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
)

// Transports of the embedder's own take addresses of any kind.
func TestValidateTransports(t *testing.T) {
	c := DefaultConfig("lan")
	c.Transports = []libp2p.Option{libp2p.NoListenAddrs}
	c.Listen = []string{"/memory/1", "/ip4/127.0.0.1/tcp/0/ws"}
	c.Peers = []string{"/memory/2/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	for name := range profiles {
		c := DefaultConfig(name)
		if err := c.Validate(); err != nil {
			t.Errorf("defaults of %s: %v", name, err)
		}
	}
	rsa, _, err := crypto.GenerateRSAKeyPair(2048, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"Identity: the key is RSA":          func(c *Config) { c.Identity = rsa },
		`Network is "Big"`:                  func(c *Config) { c.Network = "Big" },
		`Network is ""`:                     func(c *Config) { c.Network = "" },
		"NetworkKey has 16 bytes":           func(c *Config) { c.NetworkKey = make([]byte, 16) },
		"NetworkKey has 33 bytes":           func(c *Config) { c.NetworkKey = make([]byte, 33) },
		`Profile is "wan"`:                  func(c *Config) { c.Profile = "wan" },
		"NodeName has 129 bytes":            func(c *Config) { c.NodeName = strings.Repeat("x", 129) },
		"Features and Agent make a hello":   func(c *Config) { c.Features = []string{strings.Repeat("x", 4096)} },
		"Credit is 0":                       func(c *Config) { c.Credit = 0 },
		`Listen has "tcp:80"`:               func(c *Config) { c.Listen = []string{"tcp:80"} },
		"Listen has /ip4/1.2.3.4/udp/80":    func(c *Config) { c.Listen = []string{"/ip4/1.2.3.4/udp/80"} },
		"Listen has /ip4/1.2.3.4/tcp/80/ws": func(c *Config) { c.Listen = []string{"/ip4/1.2.3.4/tcp/80/ws"} },
		"Listen has /memory/1":              func(c *Config) { c.Listen = []string{"/memory/1"} },
		"Listen is empty":                   func(c *Config) { c.Transports = []libp2p.Option{libp2p.NoListenAddrs} },
		"Listen has only QUIC": func(c *Config) {
			c.NetworkKey, c.Listen = make([]byte, 32), []string{"/ip4/0.0.0.0/udp/0/quic-v1"}
		},
		`Announce has "me"`: func(c *Config) { c.Announce = []string{"me"} },
		`Peers has "/ip4/1.2.3.4/tcp/80"`: func(c *Config) {
			c.Peers = []string{"/ip4/1.2.3.4/tcp/80"}
		},
	} {
		c := DefaultConfig("lan")
		change(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := New(t.Context(), c); err == nil {
			t.Errorf("New took it: %s", want)
		}
	}
}
