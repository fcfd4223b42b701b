package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestMatchPeer(t *testing.T) {
	ada, err1 := peer.Decode("12D3KooWLu9vXKtnaH1iZVXFfMDjQFHMnuVmvtfVAqiwZ4mTCyFg")
	bob, err2 := peer.Decode("12D3KooWCFD6VyBgTevHQ8YUuUe762KBvAdyPb1LH6gEqkAsy6Vd")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	peers := []meshnode.PeerInfo{{ID: ada, Name: "ada"}, {ID: bob, Name: "bob"}}
	for what, want := range map[string]peer.ID{
		"ada": ada, ada.String(): ada, "12D3KooWC": bob, "sy6Vd": bob,
	} {
		if p, err := matchPeer(peers, what); err != nil || p.ID != want {
			t.Errorf("%s: %v, %v", what, p.ID, err)
		}
	}
	if _, err := matchPeer(peers, "12D3"); !errors.Is(err, api.ErrUsage) {
		t.Errorf("ambiguous: %v", err)
	}
	if _, err := matchPeer(peers, "eve"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestBestAddr(t *testing.T) {
	loop, lan := "/ip4/127.0.0.1/tcp/1", "/ip4/192.0.2.1/tcp/1"
	for _, tc := range []struct {
		in   []string
		want string
	}{
		{[]string{loop, lan}, lan}, {[]string{loop}, loop}, {[]string{"/ip6/fe80::1/tcp/1", lan}, lan}, {nil, ""},
	} {
		if got := bestAddr(tc.in); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.in, got, tc.want)
		}
	}
}

func TestBody(t *testing.T) {
	a, _, _ := testApp(false)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.stdin = strings.NewReader("from stdin")
	for _, tc := range []struct {
		args []string
		want string
	}{{nil, ""}, {[]string{"text"}, "text"}, {[]string{"@" + file}, "from a file"}, {[]string{"-"}, "from stdin"}} {
		if b, err := a.body(tc.args); err != nil || string(b) != tc.want {
			t.Errorf("%v: %q, %v", tc.args, b, err)
		}
	}
	a.stdin = bytes.NewReader(make([]byte, mesh.MaxPayload+1))
	if _, err := a.body([]string{"-"}); !errors.Is(err, mesh.ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestAnswers(t *testing.T) {
	w := &api.Work{Message: api.Message{ID: "7", Headers: map[string]string{"a": "b"}, Body: api.MakeBody([]byte("hi"))}}
	f, err := answerer([]string{"{{.Count}} {{.ID}} {{.Request}} {{.Headers.a}}{{.Headers.none}}"}, false, "")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := f(t.Context(), w, 3); err != nil || r.Text != "3 7 hi b" {
		t.Errorf("%q, %v", r.Text, err)
	}
	if _, err := answerer([]string{"x"}, true, ""); !errors.Is(err, api.ErrUsage) {
		t.Errorf("two ways: %v", err)
	}
	f, err = answerer(nil, false, `printf '%s %s' "$MESHNODE_ID" "$(cat)"`)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := f(t.Context(), w, 1); err != nil || r.Text != "7 hi" {
		t.Errorf("%q, %v", r.Text, err)
	}
}

func TestAnAnswerHasALimit(t *testing.T) {
	c := &capped{left: 10}
	n, err := io.Copy(c, bytes.NewReader(make([]byte, 100)))
	if !errors.Is(err, mesh.ErrTooLarge) || c.Len() > 10 {
		t.Errorf("%d bytes, %v", n, err)
	}
	var last tail
	for range 100 {
		if _, err := last.Write([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	if len(last.b) != mesh.MaxDetail/2 || !strings.HasSuffix(string(last.b), "789") {
		t.Errorf("%d bytes", len(last.b))
	}
}

func TestPartsHaveLevelsOfTheirOwn(t *testing.T) {
	log, err := newLogger("error,routing=debug")
	if err != nil {
		t.Fatal(err)
	}
	enabled := func(l *slog.Logger, level slog.Level) bool { return l.Enabled(t.Context(), level) }
	routing := log.With("part", "routing").With("peer", "x")
	transport := log.With("part", "transport", "peer", "x")
	if !enabled(routing, slog.LevelDebug) || enabled(transport, slog.LevelInfo) || enabled(log, slog.LevelInfo) {
		t.Error("levels at the start")
	}
	if err := setLevels("transport=info"); err != nil {
		t.Fatal(err)
	}
	if !enabled(transport, slog.LevelInfo) || enabled(log, slog.LevelInfo) {
		t.Error("levels at run time")
	}
	if err := setLevels("loud"); !errors.Is(err, api.ErrUsage) {
		t.Errorf("%v", err)
	}
}

func TestContexts(t *testing.T) {
	a, _, _ := testApp(false)
	run := filepath.Join(t.TempDir(), "run")
	a.getenv = func(name string) string {
		return map[string]string{"XDG_RUNTIME_DIR": run}[name]
	}
	dead := daemonContext{Head: head, Name: "dead", API: []string{"unix://" + filepath.Join(run, "none.sock")}}
	if err := a.register(dead); err != nil {
		t.Fatal(err)
	}
	file := a.contextFile("dead")
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", fi, err)
	}
	if live, err := a.liveContexts(t.Context()); err != nil || len(live) != 0 {
		t.Errorf("%v, %v", live, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a dead context stays")
	}
	if err := a.unregister("dead"); err != nil {
		t.Errorf("twice: %v", err)
	}
	if err := os.Chmod(a.runDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := a.liveContexts(t.Context()); !errors.Is(err, api.ErrUnsafe) {
		t.Errorf("an open directory: %v", err)
	}
}
