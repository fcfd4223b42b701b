package transport

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestPeersFile(t *testing.T) {
	path := t.TempDir() + "/peers.json"
	if all, err := readPeers(path); err != nil || len(all) != 0 {
		t.Errorf("no file: %v, %v", all, err)
	}
	var all []remembered
	for i := range maxKnown + 5 {
		all = append(all, remembered{Peer: peerID(t), Addrs: []string{fmt.Sprintf("/ip4/1.2.3.4/tcp/%d", i+1)}, LastSeen: time.Unix(int64(i), 0).UTC()})
	}
	last := all[len(all)-1]
	if err := writePeers(path, all); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	got, err := readPeers(path)
	if err != nil || len(got) != maxKnown {
		t.Fatalf("%d peers, %v", len(got), err)
	}
	if fmt.Sprint(got[0]) != fmt.Sprint(last) {
		t.Errorf("first is %v, want the latest seen, %v", got[0], last)
	}
}

func TestPeersFileCorrupt(t *testing.T) {
	for _, junk := range []string{"[{", `{"peers": 1}`, `[{"peer":"not a peer"}]`, strings.Repeat(" ", maxPeersFile+1)} {
		path := t.TempDir() + "/peers.json"
		if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		e := start(t, func(c *Config) { c.PeersFile = path })
		if w := fmt.Sprint(e.Warnings()); !strings.Contains(w, "moved to "+path+".corrupt") {
			t.Errorf("warnings %s", w)
		}
		if b, err := os.ReadFile(path + ".corrupt"); err != nil || string(b) != junk {
			t.Errorf("not set aside: %v", err)
		}
	}
}

func TestRememberBounds(t *testing.T) {
	tr := start(t, func(c *Config) { c.PeersFile = t.TempDir() + "/peers.json" })
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var first peer.ID
	for i := range maxKnown + 1 {
		id := peer.ID(fmt.Sprint("peer ", i))
		if i == 0 {
			first = id
		}
		tr.rememberLocked(id, time.Unix(int64(i), 0))
	}
	if _, ok := tr.known[first]; ok || len(tr.known) != maxKnown {
		t.Errorf("%d known, the oldest among them: %v", len(tr.known), ok)
	}
	tr.known = map[peer.ID]remembered{} // none of them can be saved
}

func TestWarnings(t *testing.T) {
	var w warnings
	at := time.Unix(0, 0)
	if !w.set(at, "a", "one") || w.set(at, "a", "one") || !w.set(at, "a", "two") {
		t.Error("new only when the text changes")
	}
	w.keep("k", "kept")
	if got := fmt.Sprint(w.list(at.Add(warningsLast))); got != "[kept two]" {
		t.Errorf("warnings %s", got)
	}
	if got := fmt.Sprint(w.list(at.Add(warningsLast + 1))); got != "[kept]" {
		t.Errorf("warnings %s", got)
	}
	for i := range 2 * maxWarnings {
		w.set(at.Add(time.Duration(i)), fmt.Sprint(i), "x")
	}
	if got := w.list(at); len(got) != maxWarnings || got[0] != "kept" {
		t.Errorf("%d warnings, first %s", len(got), got[0])
	}
	w.clear("k")
	if got := w.list(at); got[0] == "kept" {
		t.Error("not cleared")
	}
}
