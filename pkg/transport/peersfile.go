package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	maxKnown     = 256
	maxPeersFile = 4 << 20
)

// remembered is a peer that was linked once.
type remembered struct {
	Peer     peer.ID   `json:"peer"`
	Addrs    []string  `json:"addrs"`
	LastSeen time.Time `json:"lastSeen"`
}

func (r remembered) addrs() []ma.Multiaddr {
	out := make([]ma.Multiaddr, 0, len(r.Addrs))
	for _, s := range r.Addrs {
		if a, err := ma.NewMultiaddr(s); err == nil && len(out) < maxPeerAddr {
			out = append(out, a)
		}
	}
	return out
}

// readPeers reads the file; a missing one is empty.
func readPeers(path string) ([]remembered, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxPeersFile {
		return nil, fmt.Errorf("%d bytes: need at most %d", info.Size(), maxPeersFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []remembered
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	return newest(all), nil
}

// writePeers replaces the file.
func writePeers(path string, all []remembered) error {
	b, err := json.MarshalIndent(newest(all), "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(b, '\n'))
}

// newest sorts, the latest seen first, and keeps 256.
func newest(all []remembered) []remembered {
	slices.SortFunc(all, func(a, b remembered) int { return b.LastSeen.Compare(a.LastSeen) })
	return all[:min(len(all), maxKnown)]
}

// loadKnown reads the file of peers. One that cannot be read is set aside: a
// node must come up without it.
func (t *Transport) loadKnown() {
	path := t.cfg.PeersFile
	if path == "" {
		return
	}
	all, err := readPeers(path)
	if err != nil {
		aside := path + ".corrupt"
		text := fmt.Sprintf("the file of remembered peers %s cannot be used (%v) and was moved to %s", path, err, aside)
		if e := os.Rename(path, aside); e != nil {
			text = fmt.Sprintf("the file of remembered peers %s cannot be used (%v): remove it", path, err)
		}
		t.log.Warn(text)
		t.warn.keep("peersfile", text)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range all {
		t.known[r.Peer] = r
	}
}

// rememberLocked notes where a linked peer can be dialled.
func (t *Transport) rememberLocked(p peer.ID, now time.Time) {
	if t.cfg.PeersFile == "" {
		return
	}
	r := remembered{Peer: p, LastSeen: now.UTC().Truncate(time.Second)}
	for _, a := range t.host.Peerstore().Addrs(p) {
		if len(r.Addrs) < maxPeerAddr {
			r.Addrs = append(r.Addrs, a.String())
		}
	}
	if len(r.Addrs) == 0 {
		r.Addrs = t.known[p].Addrs
	}
	slices.Sort(r.Addrs)
	t.known[p] = r
	t.knownNew = true
	for len(t.known) > maxKnown {
		oldest := p
		for id, k := range t.known {
			if k.LastSeen.Before(t.known[oldest].LastSeen) {
				oldest = id
			}
		}
		delete(t.known, oldest)
	}
}

// saveKnown writes the file of peers if there is anything new.
func (t *Transport) saveKnown() {
	if t.cfg.PeersFile == "" {
		return
	}
	t.mu.Lock()
	now := time.Now()
	for id, n := range t.neighbours {
		if n.up {
			t.rememberLocked(id, now)
		}
	}
	all := make([]remembered, 0, len(t.known))
	for _, r := range t.known {
		all = append(all, r)
	}
	changed := t.knownNew
	t.knownNew = false
	t.mu.Unlock()
	if !changed {
		return
	}
	if err := writePeers(t.cfg.PeersFile, all); err != nil {
		t.tell("peersfile", fmt.Sprintf("peers cannot be remembered in %s: %v", t.cfg.PeersFile, err))
	}
}
