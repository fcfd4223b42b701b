package transport

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// endpoint is a transport under test and the links it gave.
type endpoint struct {
	*Transport
	links chan Link
}

func testConfig() Config {
	cfg := DefaultConfig("lan")
	cfg.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	cfg.MDNS = false
	if os.Getenv("TRANSPORT_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg
}

// start runs a transport until the test ends.
func start(t *testing.T, change func(*Config)) *endpoint {
	t.Helper()
	cfg := testConfig()
	if change != nil {
		change(&cfg)
	}
	tr, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{tr, make(chan Link, 100)}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.OnLink(func(l Link) { e.links <- l })
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *endpoint) addr(t *testing.T) string {
	t.Helper()
	addrs := e.Addrs()
	if len(addrs) == 0 {
		t.Fatal("no address")
	}
	return addrs[0]
}

func (e *endpoint) link(t *testing.T) Link {
	t.Helper()
	select {
	case l := <-e.links:
		return l
	case <-time.After(patience):
		t.Fatalf("no link at %s; warnings: %v", e.self, e.Warnings())
		return Link{}
	}
}

func connect(t *testing.T, from, to *endpoint) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := from.Connect(ctx, to.addr(t))
	return err
}

// eventually polls what no channel tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

// pass sends text over a link and checks that it arrives.
func pass(t *testing.T, from, to Link, text string) {
	t.Helper()
	if err := exchange(from, to, text, patience); err != nil {
		t.Fatal(err)
	}
}

func exchange(from, to Link, text string, limit time.Duration) error {
	end := time.Now().Add(limit)
	from.W.SetWriteDeadline(end)
	to.R.SetReadDeadline(end)
	if _, err := from.W.Write([]byte(text)); err != nil {
		return err
	}
	var got []byte
	b := make([]byte, 256)
	for !bytes.HasSuffix(got, []byte(text)) { // after what earlier attempts wrote
		n, err := to.R.Read(b)
		if err != nil {
			return fmt.Errorf("got %q, want %q: %w", got, text, err)
		}
		got = append(got, b[:n]...)
	}
	return nil
}

func peerID(t *testing.T) peer.ID {
	t.Helper()
	key, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
