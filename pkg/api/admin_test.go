package api

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func withQuery(t *testing.T, in call, q string) call {
	t.Helper()
	var err error
	if in.query, err = url.ParseQuery(q); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestAdmin(t *testing.T) {
	f := &fake{status: meshnode.Status{ID: somebody, Name: "ada", State: "ready"}}
	down := make(chan struct{})
	var level string
	c, _ := serve(t, Config{Node: f, Down: func() { close(down) }, SetLogLevel: func(part, l string) error {
		level = part + ":" + l
		return nil
	}})
	ctx := deadline(t)
	st, err := c.Status(ctx)
	if err != nil || st.APIVersion != "v1" || st.ID != somebody || st.Name != "ada" {
		t.Errorf("status %+v, %v", st, err)
	}
	peers, err := c.Peers(ctx)
	if err != nil || len(peers.Peers) != 1 || peers.Peers[0].Name != "ada" {
		t.Errorf("peers %+v, %v", peers, err)
	}
	routes, err := c.Routes(ctx)
	if err != nil || routes.Routes == nil {
		t.Errorf("routes %+v, %v: want an empty list", routes, err)
	}
	if s, err := c.Services(ctx); err != nil || s.Services[0].Name != "orders" {
		t.Errorf("services %+v, %v", s, err)
	}
	if g, err := c.Groups(ctx); err != nil || g.Groups == nil {
		t.Errorf("groups %+v, %v", g, err)
	}
	if p, err := c.Resolve(ctx, "orders"); err != nil || p.Providers[0].Peer != somebody {
		t.Errorf("resolve %+v, %v", p, err)
	}
	if id, err := c.Connect(ctx, "/ip4/127.0.0.1/tcp/1/p2p/"+somebody.String()); err != nil || id != somebody {
		t.Errorf("connect %v, %v", id, err)
	}
	if err := c.Disconnect(ctx, somebody); err != nil {
		t.Error(err)
	}
	if err := c.Drain(ctx); err != nil || !f.drained {
		t.Errorf("drain: %v", err)
	}
	if err := c.Undrain(ctx); err != nil || f.drained {
		t.Errorf("undrain: %v", err)
	}
	if err := c.SetLogLevel(ctx, "routing=debug"); err != nil || level != "routing:debug" {
		t.Errorf("level %q, %v", level, err)
	}
	if err := c.SetLogLevel(ctx, "warn"); err != nil || level != "*:warn" {
		t.Errorf("level %q, %v", level, err)
	}
	for range 2 { // the second must not close it again
		if err := c.Down(ctx); err != nil {
			t.Error(err)
		}
	}
	<-down
}

func TestReadiness(t *testing.T) {
	f := &fake{status: meshnode.Status{ID: somebody, State: "ready"}}
	c, _ := serve(t, Config{Node: f})
	if err := c.Live(deadline(t)); err != nil {
		t.Error(err)
	}
	if _, err := get[Done](deadline(t), c, "/readyz", nil); err != nil {
		t.Error(err)
	}
	f.status.State = "draining"
	if d, err := get[Done](deadline(t), c, "/readyz", nil); err == nil {
		t.Errorf("a draining node says %+v", d)
	}
}

func TestWait(t *testing.T) {
	c, _ := serve(t, Config{Node: &fake{}})
	if err := c.Wait(deadline(t), Condition{Ready: true}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Wait(ctx, Condition{Peers: 3}); !errors.Is(err, mesh.ErrTimeout) || Lookup(err).Exit != ExitUnknown {
		t.Errorf("%v", err)
	}
}

func TestNobodyIsThere(t *testing.T) {
	dir := socketDir(t)
	for _, addr := range []string{filepath.Join(dir, "none"), mustListenAndForget(t, filepath.Join(dir, "dead"))} {
		c, err := Dial(addr, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Publish(deadline(t), "orders", nil, Send{})
		if !errors.Is(err, ErrNoDaemon) || errors.Is(err, mesh.ErrUnknown) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// mustListenAndForget leaves a socket file that nobody answers, as a killed
// daemon does.
func mustListenAndForget(t *testing.T, path string) string {
	t.Helper()
	l, err := Listen(path, "")
	if err != nil {
		t.Fatal(err)
	}
	tmp := path + "2"
	if err := os.Rename(path, tmp); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		t.Fatal(err)
	}
	return path
}
