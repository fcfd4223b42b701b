package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// small is a run of a few nodes in which something happens.
func small(t *testing.T) (*sim.Result, *sim.Scenario) {
	t.Helper()
	s := &sim.Scenario{
		Name: "small", Nodes: 24, Warmup: 5 * time.Second, Duration: 20 * time.Second,
		Topology: sim.Topology{Kind: "regions", Degree: 4, Bridges: 1, Regions: []sim.Region{{Name: "eu"}, {Name: "us"}}},
		Services: []sim.Service{
			{Name: "ocr", Share: 0.5, Slow: 1, SlowTime: 50 * time.Millisecond, Handler: sim.Handler{Time: time.Millisecond}},
			{Name: "news", Share: 0.5},
		},
		Traffic: []sim.Traffic{
			{Name: "pages", To: "ocr", Rate: 1, Request: true},
			{Name: "headlines", To: "news", Mode: "all", From: 0.05, Rate: 1},
		},
		Events: []sim.Event{{At: 8 * time.Second, For: 4 * time.Second, What: "crowd", Traffic: "pages", Factor: 3}},
		Expect: map[string]string{"lies": "== 0", "delivered": ">= 0.9", "hops.mean": "<= 0", "warmup.hops.mean": "<= 10"},
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	r, err := sim.Run(t.Context(), s, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

// TestVocabulary: a run has no figure that is not explained, and none is
// explained that the simulator does not know.
func TestVocabulary(t *testing.T) {
	r, _ := small(t)
	for name := range r.Figures {
		if f, ok := Lookup(name); !ok || f.Title == "" || !strings.HasSuffix(f.Meaning, ".") {
			t.Errorf("%s is not explained: %+v", name, f)
		}
	}
	for _, f := range Figures() {
		s := &sim.Scenario{Nodes: 2, Expect: map[string]string{f.Name: ">= 0", "warmup." + f.Name: ">= 0"}}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, p := range r.Plots {
		if about[p.Name].title == "" {
			t.Errorf("the plot %q has no title", p.Name)
		}
	}
}

// TestVerdictsAgree: what the page marks as missed is what the simulator says.
func TestVerdictsAgree(t *testing.T) {
	r, s := small(t)
	var marked []string
	for _, g := range Grouped(r, s.Expect) {
		for _, row := range g.Rows {
			if row.Missed {
				marked = append(marked, row.Name)
			}
		}
	}
	if len(marked) != 1 || marked[0] != "hops.mean" || len(r.Missed) != 1 || !strings.HasPrefix(r.Missed[0], "hops.mean ") {
		t.Errorf("marked %v, missed %v", marked, r.Missed)
	}
	if Passed(r) || Verdict(r) != "One expectation is missed." {
		t.Errorf("%v: %s", Passed(r), Verdict(r))
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		missed     int
		lies, warm float64
		pass       bool
		want       string
	}{
		{0, 0, 0, true, "Every expectation is met."},
		{0, 1, 0, false, "There are lies"},
		{0, 0, 1, false, "There are lies"},
		{3, 1, 0, false, "3 expectations are missed."},
	} {
		r := &sim.Result{Missed: make([]string, tt.missed), Figures: map[string]float64{"lies": tt.lies, "warmup.lies": tt.warm}}
		if Passed(r) != tt.pass || !strings.HasPrefix(Verdict(r), tt.want) {
			t.Errorf("%+v: %v, %s", tt, Passed(r), Verdict(r))
		}
	}
}

const evil = `</svg></pre><script>alert("x")</script>&`

// TestPageStandsAlone: nothing is fetched, nothing runs, and nothing that a
// scenario's author wrote is markup.
func TestPageStandsAlone(t *testing.T) {
	r, s := small(t)
	r.Scenario, s.About = evil, evil
	r.Failures = make([]sim.Failure, 40)
	for i := range r.Failures {
		r.Failures[i] = sim.Failure{Message: uint64(i + 1), To: evil, Outcome: evil, Why: evil, Lie: true}
	}
	r.Outcomes[evil], r.Missed = 1, []string{evil}
	r.Plots = append(r.Plots, sim.Plot{Name: evil, X: evil, Y: evil, Series: []sim.Series{
		{Name: evil, X: []float64{0, 1}, Y: []float64{1, 2}}, {Name: evil, X: []float64{0, 1}, Y: []float64{2, 1}},
	}})
	var b bytes.Buffer
	page := Page{Result: r, Scenario: s, YAML: evil, Command: evil, Replay: func(uint64) string { return evil }}
	if err := Write(&b, page); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, not := range []string{"<script", "http:", "https:", "src=", "@import", "url(", "alert(\"", "NaN", "ZgotmplZ"} {
		if strings.Contains(text, not) {
			t.Errorf("the page has %q", not)
		}
	}
	for _, want := range []string{"✕ Fail", "a lie", "prefers-color-scheme: dark", "28 more", "Success over time", "warm-up", "crowd"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if b.Len() > 1<<20 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestSameResultSamePage(t *testing.T) {
	r, s := small(t)
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := Write(w, Page{Result: r, Scenario: s}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two pages of one result differ")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	if err := Write(full{}, Page{Result: new(sim.Result), Scenario: new(sim.Scenario)}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Error(err)
	}
}

// TestDraw gives plots of odd shapes; each must be well-formed and inside its
// frame.
func TestDraw(t *testing.T) {
	long := sim.Series{Name: "long"}
	for i := range 100_000 {
		long.X, long.Y = append(long.X, float64(i)), append(long.Y, math.Sin(float64(i)/1000))
	}
	long.Y[77_777] = -40 // a dip that must stay
	log := sim.Series{}
	for i := range 20 {
		log.X, log.Y = append(log.X, math.Exp2(float64(i)/2)), append(log.Y, float64(i))
	}
	for name, p := range map[string]sim.Plot{
		"one point":    {Series: []sim.Series{{X: []float64{3}, Y: []float64{5}}}},
		"one bar":      {Bars: true, Series: []sim.Series{{X: []float64{3}, Y: []float64{5}}}},
		"all zero":     {Series: []sim.Series{{X: []float64{0, 1, 2}, Y: []float64{0, 0, 0}}}},
		"negative":     {Series: []sim.Series{{X: []float64{-5, 5}, Y: []float64{-1, -3}}}},
		"uneven pairs": {Series: []sim.Series{{X: []float64{0, 1, 2}, Y: []float64{4, 2}}}},
		"no numbers":   {Series: []sim.Series{{X: []float64{0, math.NaN(), 2, 3}, Y: []float64{1, 2, math.Inf(1), 4}}}},
		"huge":         {Series: []sim.Series{{X: []float64{0, 1e12}, Y: []float64{1e-9, 1e12}}}},
		"long":         {Series: []sim.Series{long}},
		"long bars":    {Bars: true, Series: []sim.Series{long}},
		"logarithmic":  {Bars: true, Series: []sim.Series{log}},
		"many series":  {Bars: true, Series: []sim.Series{log, log, log, log, log, log, log, log}},
	} {
		t.Run(name, func(t *testing.T) {
			marks := []Mark{{From: 0, To: 1, Label: "a"}, {From: 2, To: 2, Label: "b"}, {From: 1e15, To: 1e16, Label: "out of sight"}}
			picture := string(draw(p, marks))
			if picture == "" || strings.Contains(picture, "NaN") || strings.Contains(picture, "Inf") || strings.Contains(picture, "out of sight") {
				t.Fatalf("%.300s", picture)
			}
			if len(picture) > 200_000 {
				t.Errorf("%d bytes", len(picture))
			}
			inside(t, picture)
		})
	}
	for name, p := range map[string]sim.Plot{
		"empty": {}, "no points": {Series: []sim.Series{{}}}, "nothing but NaN": {Series: []sim.Series{{X: []float64{math.NaN()}, Y: []float64{1}}}},
	} {
		if got := draw(p, nil); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// inside parses a picture and checks every place in it.
func inside(t *testing.T, picture string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v: %.300s", err, picture)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local == "svg" {
			continue
		}
		for _, a := range e.Attr {
			limit := 0.0
			switch a.Name.Local {
			case "x", "x1", "x2", "cx", "width":
				limit = width
			case "y", "y1", "y2", "cy", "height":
				limit = height
			default:
				continue
			}
			if v := parse(t, a.Value); v < 0 || v > limit {
				t.Errorf("%s of %s is %v, outside of the picture", a.Name.Local, e.Name.Local, v)
			}
		}
	}
}

// TestThinKeepsTheDip: what a reader looks for in a long line is its extremes.
func TestThinKeepsTheDip(t *testing.T) {
	s := sim.Series{}
	for i := range 10_000 {
		s.X, s.Y = append(s.X, float64(i)), append(s.Y, 1)
	}
	s.Y[1234], s.Y[8765] = 0.2, 3
	least, greatest := 1.0, 1.0
	got := thin(s)
	for i, y := range got.Y {
		least, greatest = min(least, y), max(greatest, y)
		if i > 0 && got.X[i] < got.X[i-1] {
			t.Fatal("out of order")
		}
	}
	if len(got.X) > 2*most || least != 0.2 || greatest != 3 {
		t.Errorf("%d points from %v to %v", len(got.X), least, greatest)
	}
}

func TestFold(t *testing.T) {
	s := sim.Series{}
	for i := range 50 {
		s.X, s.Y = append(s.X, 1+float64(i)*0.25), append(s.Y, 1)
	}
	s.Y[0], s.X[49] = 10_000, 500
	p, marks := fold(sim.Plot{Series: []sim.Series{s}}, nil)
	if got := p.Series[0]; len(got.X) != 2 || got.Y[0] != 10_000 || got.Y[1] != 49 || got.X[1] != 1.5 {
		t.Errorf("%+v", got)
	}
	if len(marks) != 1 || marks[0].Label != "49 beyond, up to 500" || len(s.X) != 50 || s.X[1] != 1.25 {
		t.Errorf("%+v", marks)
	}
}

func TestGlyphs(t *testing.T) {
	seen := make(map[string]string)
	for _, kind := range []string{"line", "ring", "grid", "random-regular", "small-world", "tree", "star", "regions"} {
		g := string(glyph(kind, make([]sim.Region, 3), 1))
		if other, twice := seen[g]; twice || strings.Count(g, "<circle") < 9 {
			t.Errorf("%s looks like %q: %.200s", kind, other, g)
		}
		seen[g] = kind
	}
}
