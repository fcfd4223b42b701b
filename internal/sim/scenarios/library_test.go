package scenarios

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLibrary: every scenario says what it shows and expects, and can be built
// from 100 to 100,000 nodes.
func TestLibrary(t *testing.T) {
	names := Names()
	for _, want := range []string{
		"line", "random-regular", "small-world", "regions-with-bridges", "iot-factory", "datacentre", "churn", "partition",
		"flash-crowd", "sybil", "selection", "multicast", "discovery", "blackhole",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, name := range names {
		text, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# ")) {
			t.Errorf("%s: no comment on top", name)
		}
		for _, nodes := range []int{0, 100, 100_000} {
			s := parsed(t, string(text))
			if nodes > 0 {
				s.Nodes = nodes
			}
			if err := s.Validate(); err != nil {
				t.Errorf("%s with %d nodes: %v", name, nodes, err)
			}
			if s.Name != name || !strings.HasSuffix(s.About, ".") || s.Expect["lies"] != "== 0" || len(s.Expect) < 2 {
				t.Errorf("%s: name %q, about %q, expect %v", name, s.Name, s.About, s.Expect)
			}
		}
	}
}

func TestRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("nodes: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(file); err != nil || string(text) != "nodes: 3\n" {
		t.Errorf("%s, %v", text, err)
	}
	for name, want := range map[string]string{
		"chrun":          "near it: churn",
		"none.yaml":      "no such file",
		"../library/x":   "no such file",
		"random_regular": "near it: random-regular",
	} {
		if _, err := Read(name); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("#"), 2*MaxFile), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(file, text); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a file that is too long: %v", err)
	}
}
