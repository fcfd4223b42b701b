package transport

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

func testAddr(t *testing.T) ma.Multiaddr {
	t.Helper()
	a, err := ma.NewMultiaddr("/ip4/127.0.0.1/tcp/0")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCloseTwice(t *testing.T) {
	tr, err := New(t.Context(), testConfig())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // also without Start
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := tr.Start(); err == nil {
		t.Error("started after Close")
	}
	e := start(t, nil)
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Close does not wait for what is under way.
func TestCloseWhileConnecting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, port, _ := net.SplitHostPort(silent.Addr().String())
	e := start(t, nil)
	got := make(chan error, 1)
	go func() {
		_, err := e.Connect(context.Background(), "/ip4/127.0.0.1/tcp/"+port+"/p2p/"+peerID(t).String())
		got <- err
	}()
	eventually(t, "a dial", func() bool { return e.Counters()["dials"] == 1 })
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; err == nil {
		t.Error("connected to silence")
	}
}

func TestStartNeedsOnLink(t *testing.T) {
	tr, err := New(t.Context(), testConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Start(); err == nil || !strings.Contains(err.Error(), "OnLink") {
		t.Errorf("error %v", err)
	}
}

// A named port that is taken is an error, also when another node took it,
// which shares it as libp2p binds it; a default one is a warning.
func TestPortInUse(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	node := start(t, func(c *Config) {
		c.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
	})
	taken := []string{"/ip4/127.0.0.1/tcp/" + strings.Split(other.Addr().String(), ":")[1]}
	for _, a := range node.host.Network().ListenAddresses() {
		if isTCP(a) || isQUIC(a) {
			taken = append(taken, a.String())
		}
	}
	if len(taken) != 3 {
		t.Fatalf("taken: %v", taken)
	}
	for _, addr := range taken {
		cfg := testConfig()
		cfg.Listen = []string{addr, "/ip4/127.0.0.1/tcp/0"}
		tr, err := New(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		tr.OnLink(func(Link) {})
		err = tr.Start()
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), addr+": port in use") {
			t.Errorf("error of %s: %v", addr, err)
		}
		for _, a := range tr.host.Network().ListenAddresses() {
			if isTCP(a) || isQUIC(a) {
				t.Errorf("still listening on %s", a)
			}
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDefaultPortInUse(t *testing.T) {
	other, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p := profiles["edge"]
	p.port = other.Addr().(*net.TCPAddr).Port
	profiles["test"] = p
	defer delete(profiles, "test")
	e := start(t, func(c *Config) { c.Listen, c.Profile = nil, "test" })
	found := false
	for _, w := range e.Warnings() {
		found = found || strings.Contains(w, "port in use")
	}
	if !found {
		t.Errorf("warnings %v", e.Warnings())
	}
	if len(e.Addrs()) == 0 {
		t.Error("does not listen at all")
	}
}

// A network with a key listens on TCP only.
func TestKeyDropsQUIC(t *testing.T) {
	e := start(t, func(c *Config) {
		c.NetworkKey = make([]byte, 32)
		c.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}
	})
	for _, a := range e.Addrs() {
		if strings.Contains(a, "quic") {
			t.Errorf("listens on %s", a)
		}
	}
	if len(e.Addrs()) != 1 {
		t.Errorf("addresses %v", e.Addrs())
	}
}
