package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestLink(t *testing.T) {
	for _, listen := range []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"} {
		t.Run(listen, func(t *testing.T) {
			a := start(t, func(c *Config) { c.Listen = []string{listen}; c.NodeName, c.Credit = "ada", 111 })
			b := start(t, func(c *Config) { c.Listen = []string{listen}; c.NodeName, c.Credit = "bob", 222 })
			if err := connect(t, a, b); err != nil {
				t.Fatal(err)
			}
			la, lb := a.link(t), b.link(t)
			if la.Peer != b.self || la.Hello.NodeName != "bob" || la.Credit != 222 || !la.Outbound {
				t.Errorf("a has %+v", la)
			}
			if lb.Peer != a.self || lb.Hello.NodeName != "ada" || lb.Credit != 111 || lb.Outbound || lb.Hello.Instance != a.Instance() {
				t.Errorf("b has %+v", lb)
			}
			pass(t, la, lb, "from a to b")
			pass(t, lb, la, "from b to a")
			if !a.host.ConnManager().IsProtected(b.self, protectTag) {
				t.Error("the neighbour is not protected from trimming")
			}
		})
	}
}

// A link is made anew after its user has closed it, on either side, and both
// sides get the same new one.
func TestLinkClosed(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	if err := connect(t, a, b); err != nil {
		t.Fatal(err)
	}
	la, lb := a.link(t), b.link(t)
	a.LinkClosed(b.self)
	b.LinkClosed(a.self) // at the same time
	settle(t, a, b, la, lb)
}

// settle takes new links until both sides have the same one and it works.
func settle(t *testing.T, a, b *endpoint, la, lb Link) (Link, Link) {
	t.Helper()
	end := time.After(patience)
	for round := 0; ; round++ {
		if exchange(la, lb, fmt.Sprint("round ", round), 2*time.Second) == nil {
			return la, lb
		}
		select {
		case la = <-a.links:
		case lb = <-b.links:
		case <-end:
			t.Fatal("no link settled")
		}
		for len(a.links) > 0 {
			la = <-a.links
		}
		for len(b.links) > 0 {
			lb = <-b.links
		}
	}
}

func TestBothDialAtOnce(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	errs := make(chan error, 2)
	go func() { errs <- connect(t, a, b) }()
	go func() { errs <- connect(t, b, a) }()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	la, lb := a.link(t), b.link(t)
	pass(t, la, lb, "over")
	pass(t, lb, la, "and back")
	if n := len(a.links) + len(b.links); n != 0 {
		t.Errorf("the link flapped: %d more links", n)
	}
}

func TestWrongNetwork(t *testing.T) {
	a := start(t, func(c *Config) { c.Network = "red" })
	b := start(t, func(c *Config) { c.Network = "blue" })
	err := connect(t, a, b)
	if !errors.Is(err, mesh.ErrWrongNetwork) || !strings.Contains(err.Error(), `"blue"`) || !strings.Contains(err.Error(), `"red"`) {
		t.Errorf("error at a: %v", err)
	}
	for _, e := range []*endpoint{a, b} {
		eventually(t, "one warning that names both networks", func() bool {
			w := e.Warnings()
			return len(w) == 1 && strings.Contains(w[0], `"red"`) && strings.Contains(w[0], `"blue"`)
		})
	}
	eventually(t, "connection closed", func() bool { return !a.connected(b.self) && !b.connected(a.self) })
	b.mu.Lock()
	wait := time.Until(b.neighbours[a.self].until)
	b.mu.Unlock()
	if wait < longRefusal-patience {
		t.Errorf("b leaves a alone for %v, want %v", wait, longRefusal)
	}
	if err := connect(t, b, a); !errors.Is(err, mesh.ErrWrongNetwork) {
		t.Errorf("error at b: %v", err)
	}
	if len(a.links)+len(b.links) != 0 {
		t.Error("a link came up")
	}
}

func TestSameNameOtherKey(t *testing.T) {
	key := func(b byte) func(*Config) {
		return func(c *Config) { c.NetworkKey = []byte(strings.Repeat(string(rune(b)), 32)) }
	}
	a, same, other := start(t, key('x')), start(t, key('x')), start(t, key('y'))
	if err := connect(t, a, same); err != nil {
		t.Error(err)
	}
	if err := connect(t, a, other); err == nil || !strings.Contains(err.Error(), "network key") {
		t.Errorf("error of another key: %v", err)
	}
}

// raw is a libp2p host that is no meshnode.
func raw(t *testing.T, key crypto.PrivKey) host.Host {
	t.Helper()
	opts := []libp2p.Option{libp2p.NoListenAddrs, libp2p.DisableMetrics()}
	if key != nil {
		opts = append(opts, libp2p.Identity(key))
	}
	h, err := libp2p.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// rawHello opens a stream by hand.
func rawHello(t *testing.T, h host.Host, to *endpoint, b []byte) network.Stream {
	t.Helper()
	info, err := peer.AddrInfoFromString(to.addr(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Connect(t.Context(), *info); err != nil {
		t.Fatal(err)
	}
	s, err := h.NewStream(t.Context(), to.self, ProtocolID)
	if err != nil {
		t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(patience))
	if _, err := s.Write(b); err != nil {
		t.Fatal(err)
	}
	return s
}

func helloBytes(t *testing.T, h mesh.Hello) []byte {
	t.Helper()
	b, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func answer(t *testing.T, s network.Stream) *mesh.Welcome {
	t.Helper()
	b, err := readMessage(s)
	if err != nil {
		t.Fatal(err)
	}
	w, err := mesh.DecodeWelcome(b)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestVersionRefused(t *testing.T) {
	a := start(t, nil)
	s := rawHello(t, raw(t, nil), a, helloBytes(t, mesh.Hello{Version: 2, Network: a.network}))
	w := answer(t, s)
	if w.Status != mesh.StatusVersion || !strings.Contains(w.Detail, "version 2") {
		t.Errorf("answer %+v", w)
	}
}

func TestVersionRefusedByOther(t *testing.T) {
	a, h := start(t, nil), raw(t, nil)
	h.SetStreamHandler(ProtocolID, func(s network.Stream) {
		readMessage(s)
		w := mesh.Welcome{Status: mesh.StatusVersion, Detail: "this node speaks version 2"}
		b, _ := w.Encode()
		writeMessage(s, b)
		s.CloseWrite()
	})
	if err := h.Network().Listen(testAddr(t)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Connect(t.Context(), h.Addrs()[0].String()+"/p2p/"+h.ID().String())
	if !errors.Is(err, mesh.ErrVersion) || !strings.Contains(err.Error(), "speaks version 2") {
		t.Errorf("error %v", err)
	}
}

func TestNotMeshnode(t *testing.T) {
	a, h := start(t, nil), raw(t, nil)
	if err := h.Network().Listen(testAddr(t)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Connect(t.Context(), h.Addrs()[0].String()+"/p2p/"+h.ID().String())
	if !errors.Is(err, mesh.ErrVersion) || !strings.Contains(err.Error(), "speaks libp2p, but not") {
		t.Errorf("error %v", err)
	}
}

// Junk costs its stream only: the link that stands keeps working.
func TestJunk(t *testing.T) {
	a, b := start(t, nil), start(t, nil)
	if err := connect(t, b, a); err != nil {
		t.Fatal(err)
	}
	la, lb := a.link(t), b.link(t)
	h := raw(t, nil)
	for i, junk := range [][]byte{
		{0xff, 0xff, 0xff, 0xff, 1, 2, 3},
		{0, 0, 0x10, 0x01},
		{0, 0, 0, 3, 0xff, 0xff, 0xff},
		{0, 0, 0, 0},
		[]byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		s := rawHello(t, h, a, junk)
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Errorf("junk %d was answered", i)
		}
	}
	eventually(t, "five counted", func() bool { return a.Counters()["hellos_junk"] == 5 })
	pass(t, lb, la, "still here")
}

// A length over the limit is refused before anything is set aside for it.
func TestReadMessage(t *testing.T) {
	for in, want := range map[string]error{
		"\x00\x00\x00\x02ab":       nil,
		"\x00\x00\x10\x01abcdefgh": mesh.ErrTooLarge,
		"\xff\xff\xff\xffabcdefgh": mesh.ErrTooLarge,
		"\x00\x00\x00\x03ab":       io.ErrUnexpectedEOF,
		"\x00":                     io.ErrUnexpectedEOF,
		"":                         io.EOF,
	} {
		if _, err := readMessage(strings.NewReader(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func TestConflict(t *testing.T) {
	key, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	var dead atomic.Bool
	asked := make(chan peer.ID, 100)
	a := start(t, func(c *Config) { c.Alive = func(p peer.ID) bool { asked <- p; return !dead.Swap(false) } })
	first := start(t, func(c *Config) { c.Identity = key })
	if err := connect(t, first, a); err != nil {
		t.Fatal(err)
	}
	la, lfirst := a.link(t), first.link(t)

	second := start(t, func(c *Config) { c.Identity = key })
	if err := connect(t, second, a); !errors.Is(err, mesh.ErrConflict) {
		t.Fatalf("error of the second: %v", err)
	}
	if p := <-asked; p != first.self {
		t.Errorf("asked for %s", p)
	}
	if w := fmt.Sprint(a.Warnings()); !strings.Contains(w, "another node uses the identity of neighbour "+first.self.String()) {
		t.Errorf("warnings of the neighbour: %s", w)
	}
	if w := fmt.Sprint(second.Warnings()); !strings.Contains(w, "another node uses its identity") {
		t.Errorf("warnings of the second: %s", w)
	}
	pass(t, lfirst, la, "the first is not disturbed")

	// A restart: the first, still connected, answers nothing any more.
	first.host.RemoveStreamHandler(ProtocolID)
	dead.Store(true)
	if err := connect(t, second, a); err != nil {
		t.Fatal(err)
	}
	// The first may have come back for a moment; without the second, link fails.
	for l := a.link(t); l.Hello.Instance != second.Instance(); {
		l = a.link(t)
	}
}

func TestOwnIdentity(t *testing.T) {
	key, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a := start(t, func(c *Config) { c.Identity = key })
	twin := start(t, func(c *Config) { c.Identity = key })

	if _, err := a.Connect(t.Context(), a.addr(t)); !errors.Is(err, mesh.ErrConflict) || !strings.Contains(err.Error(), "this node itself") {
		t.Errorf("error of our own address: %v", err)
	}
	if len(a.Warnings()) != 0 {
		t.Errorf("warnings: %v", a.Warnings())
	}
	// Under its own name, and under another.
	wrong := strings.Replace(twin.addr(t), twin.self.String(), peerID(t).String(), 1)
	for _, addr := range []string{twin.addr(t), wrong} {
		a.warn.clear("conflict/" + a.self.String())
		if _, err := a.Connect(t.Context(), addr); !errors.Is(err, mesh.ErrConflict) {
			t.Errorf("error of %s: %v", addr, err)
		}
		if w := fmt.Sprint(a.Warnings()); !strings.Contains(w, "two nodes must not share a key") {
			t.Errorf("warnings after %s: %s", addr, w)
		}
	}
}

// A node comes back under its identity, at its address, as another instance.
func TestReconnect(t *testing.T) {
	key, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, func(c *Config) { c.Identity = key })
	addr := b.addr(t)
	a := start(t, func(c *Config) { c.Peers = []string{addr} })
	if l := a.link(t); l.Hello.Instance != b.Instance() {
		t.Error("first link is not with b")
	}
	listen, _, _ := strings.Cut(addr, "/p2p/")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	a.LinkClosed(b.self)
	eventually(t, "dials that fail", func() bool { return a.Counters()["dials"] >= 3 })
	again := start(t, func(c *Config) { c.Identity, c.Listen = key, []string{listen} })
	la, lb := a.link(t), again.link(t)
	if la.Hello.Instance != again.Instance() {
		t.Error("second link is not with the new instance")
	}
	pass(t, la, lb, "back")
}

func TestRemembered(t *testing.T) {
	file := t.TempDir() + "/peers.json"
	b := start(t, nil)
	a := start(t, func(c *Config) { c.PeersFile = file })
	if err := connect(t, a, b); err != nil {
		t.Fatal(err)
	}
	a.link(t)
	b.link(t)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, func(c *Config) { c.PeersFile = file })
	if l := again.link(t); l.Peer != b.self {
		t.Errorf("linked %s", l.Peer)
	}
}

func TestDisconnect(t *testing.T) {
	b := start(t, nil)
	a := start(t, func(c *Config) { c.Peers = []string{b.addr(t)} })
	a.link(t)
	lb := b.link(t)
	if err := a.Disconnect(b.self); err != nil {
		t.Fatal(err)
	}
	if _, err := lb.R.Read(make([]byte, 1)); err == nil {
		t.Error("the stream still stands")
	}
	b.LinkClosed(a.self)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := b.Connect(ctx, a.addr(t)); !errors.Is(err, mesh.ErrDenied) {
		t.Errorf("error of the other side: %v", err)
	}
	a.mu.Lock()
	due, _ := a.plan.next(time.Now().Add(time.Hour), 10)
	a.mu.Unlock()
	if len(due) != 0 {
		t.Errorf("would dial %v", due)
	}
	if err := connect(t, a, b); err != nil {
		t.Fatal(err)
	}
	a.link(t)
	b.link(t)
	if err := a.Disconnect(peerID(t)); err == nil {
		t.Error("disconnected from a stranger")
	}
}

// The limit of links holds for strangers, not for those the operator named.
func TestFull(t *testing.T) {
	a := start(t, nil)
	a.mu.Lock()
	a.profile.max = 1
	a.mu.Unlock()
	first, second := start(t, nil), start(t, nil)
	if err := connect(t, first, a); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, second, a); !errors.Is(err, mesh.ErrBusy) {
		t.Errorf("error over the limit: %v", err)
	}
	if err := connect(t, a, second); err != nil {
		t.Errorf("error of a named peer: %v", err)
	}
}

// Forty nodes of one address all get a link with one.
func TestManyFromOneAddress(t *testing.T) {
	hub := start(t, nil)
	const n = 40
	errs := make(chan error, n)
	for range n {
		e := start(t, func(c *Config) { c.Profile = "edge" })
		go func() { errs <- connect(t, e, hub) }()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	eventually(t, "all linked", func() bool { return len(hub.links) == n })
}
