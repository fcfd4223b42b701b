package scenarios

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

const sample = `
name: sample
nodes: 1_000
seed: 18446744073709551615
duration: 1m30s
topology:
  kind: regions
  nat: {open: 20%, cone: 0.8}
  regions:
    - {name: eu, share: 60%, link: {latency: 3ms, bandwidth: 10MB/s, maxQueue: 4MiB}}
    - name: us
      link:
        bandwidth: 100Mbit/s
services:
  - name: ocr.v2
    attributes: {version: 1.10, caps: "[gpu,pdf]|[pdf]"}
traffic:
  - {name: pages, to: "ocr.v2{caps>=[pdf]}", request: true, rate: 2.5}
  - {name: films, to: ocr.v2, request: no}
churn:
events:
  - {at: 10s, what: cut, share: 5 %}
expect:
  delivered: ">= 0.99"
`

func parsed(t *testing.T, text string) *sim.Scenario {
	t.Helper()
	s, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	s := parsed(t, sample)
	for what, ok := range map[string]bool{
		"nodes":      s.Nodes == 1000,
		"seed":       s.Seed == 1<<64-1,
		"duration":   s.Duration == 90*time.Second,
		"percent":    s.Topology.NAT["open"] == 0.2 && s.Topology.Regions[0].Share == 0.6 && s.Events[0].Share == 0.05,
		"share":      s.Topology.NAT["cone"] == 0.8,
		"size":       s.Topology.Regions[0].Link.Bandwidth == 10e6 && s.Topology.Regions[0].Link.MaxQueue == 4<<20,
		"bits":       s.Topology.Regions[1].Link.Bandwidth == 12.5e6,
		"text":       s.Services[0].Attributes["version"] == "1.10" && s.Services[0].Attributes["caps"] == "[gpu,pdf]|[pdf]",
		"yes and no": s.Traffic[0].Request && !s.Traffic[1].Request,
		"fraction":   s.Traffic[0].Rate == 2.5,
		"bound":      s.Expect["delivered"] == ">= 0.99",
		"nothing":    s.Churn.Rate == 0 && s.Warmup == 0,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, s)
		}
	}
}

// TestParseErrors: each names the place and the key, and helps on.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		line, column int
		want         string
	}{
		{"unknown key", "nodes: 5\ntopology:\n  degre: 6\n", 3, 3, "topology.degre is no key; near it: degree"},
		{"far from all", "zzzzzz: 5\n", 1, 1, "zzzzzz is no key; there are name, about, nodes"},
		{"unknown key in a list", "traffic:\n  - {rates: 1}\n", 2, 6, "traffic.0.rates is no key; near it: rate"},
		{"twice", "nodes: 5\nnodes: 6\n", 2, 1, `"nodes" already defined at [1:1]`},
		{"twice in braces", "link: {loss: 1%, loss: 2%}\n", 1, 18, `"loss" already defined`},
		{"no unit", "duration: 30\n", 1, 11, `duration: "30" has no unit; write 30s or 30ms`},
		{"no duration", "duration: soon\n", 1, 11, `"soon" is no duration`},
		{"no number", "topology: {rewire: much}\n", 1, 20, `topology.rewire: "much" is no number; write it as 0.05 or 5%`},
		{"not a number", "topology: {rewire: .nan}\n", 1, 20, "is no number"},
		{"no end", "topology: {rewire: inf}\n", 1, 20, "is no number"},
		{"no whole number", "nodes: 2.5\n", 1, 8, `nodes: "2.5" is no whole number`},
		{"negative seed", "seed: -1\n", 1, 7, "is no whole number from 0"},
		{"no size", "link: {bandwidth: 3furlong}\n", 1, 19, `link.bandwidth: "3furlong" is no size`},
		{"too large a size", "link: {bandwidth: 99999999999GiB}\n", 1, 19, "is no size"},
		{"no truth", "traffic: [{request: maybe}]\n", 1, 21, "neither true nor false"},
		{"list for a value", "nodes: [1]\n", 1, 8, "nodes: want one value, not a list"},
		{"value for a list", "traffic: 5\n", 1, 10, "traffic: want a list, not one value"},
		{"value for a table", "link: fast\n", 1, 7, "link: want keys and values, not one value"},
		{"list at the top", "- a\n", 1, 1, "the scenario: want keys and values, not a list"},
		{"anchor", "link: &a {latency: 1ms}\n", 1, 7, "anchors, aliases and tags are not read"},
		{"tag", "nodes: !!int 5\n", 1, 8, "anchors, aliases and tags are not read"},
		{"syntax", "nodes: [1\n", 1, 8, "sequence end token ']' not found"},
		{"second document", "nodes: 5\n---\nnodes: 6\n", 2, 1, "a second document"},
		{"empty", "# nothing\n", 0, 0, "it is empty"},
		{"too long", strings.Repeat("#", MaxFile+1), 0, 0, "more than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse("x.yaml", []byte(tt.text))
			e, ok := errors.AsType[*Error](err)
			if !ok || s != nil {
				t.Fatalf("%+v, %v", s, err)
			}
			if e.Line != tt.line || e.Column != tt.column || !strings.Contains(e.Problem, tt.want) {
				t.Errorf("%d:%d %s; want %d:%d %s", e.Line, e.Column, e.Problem, tt.line, tt.column, tt.want)
			}
		})
	}
}

func TestErrorShowsThePlace(t *testing.T) {
	_, err := Parse("x.yaml", []byte("nodes: 5\ntopology:\n  degre: 6\n"))
	want := "x.yaml:3:3: topology.degre is no key; near it: degree\n   3 |   degre: 6\n         ^"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

// TestDeepNesting: a file is small, and what it nests is bounded by that.
func TestDeepNesting(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 4_000), strings.Repeat("{a: ", 2_000)} {
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%.10s… was read", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	for _, name := range Names() {
		text, err := Read(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("x.yaml", text)
		if (s == nil) == (err == nil) {
			t.Errorf("%+v, %v", s, err)
		}
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
