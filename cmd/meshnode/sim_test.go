package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

func TestProgress(t *testing.T) {
	for _, tt := range []struct {
		tty  bool
		want string
	}{
		{true, "\r" + progressLine(sim.Progress{Now: 3 * time.Second, End: 12 * time.Second, Events: 400_000, Alive: 90}, time.Second) + "\x1b[K\r\x1b[K"},
		{false, progressLine(sim.Progress{Now: 3 * time.Second, End: 12 * time.Second, Events: 400_000, Alive: 90}, time.Second) + "\n"},
	} {
		var b bytes.Buffer
		p := newProgress(&b, tt.tty)
		now := p.began.Add(time.Second)
		p.clock = func() time.Time { return now }
		for range 3 { // too early to be told again
			p.tell(sim.Progress{Now: 3 * time.Second, End: 12 * time.Second, Events: 400_000, Alive: 90})
		}
		p.end()
		if b.String() != tt.want {
			t.Errorf("terminal %v: %q, want %q", tt.tty, b.String(), tt.want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		now  sim.Progress
		took time.Duration
		want string
	}{
		{sim.Progress{Now: 3 * time.Second, End: 12 * time.Second, Events: 400_000, Alive: 90}, 2 * time.Second,
			"██████░░░░░░░░░░░░░░░░░░  25%  3s of 12s  90 nodes  200k events/s  6s left"},
		{sim.Progress{End: time.Second}, 0, "░░░░░░░░░░░░░░░░░░░░░░░░   0%  0s of 1s  0 nodes  0k events/s  ? left"},
		{sim.Progress{Now: 9 * time.Second, End: 8 * time.Second}, time.Second, strings.Repeat("█", 24) + " 100%  9s of 8s  0 nodes  0k events/s  0s left"},
		{sim.Progress{}, time.Second, "░░░░░░░░░░░░░░░░░░░░░░░░   0%  0s of 0s  0 nodes  0k events/s  ? left"},
	} {
		if got := progressLine(tt.now, tt.took); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestQuote: a shell reads back what was quoted.
func TestQuote(t *testing.T) {
	for _, s := range []string{
		"churn", "a/b.yaml", "", "a b", "it's", "expect.hops.mean=<= 1", `$HOME "x" \`, "[{kind: liar}]", "ocr{caps>=[gpu]}", "~", "a;b", "é", "x\ny",
	} {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q became %q, %v", s, out, err)
		}
	}
	if quote("traffic.0.rate=2") != "traffic.0.rate=2" {
		t.Error("a plain word was quoted")
	}
}

func TestReplayIsTheRunAgain(t *testing.T) {
	s := simFlags{nodes: 100, duration: time.Minute, set: []string{"a=b c"}}
	if got := s.replay("churn", 7, 42); got != "meshnode sim replay churn --seed 7 --nodes 100 --duration 1m0s --set 'a=b c' --message 42" {
		t.Error(got)
	}
}

func TestChange(t *testing.T) {
	one, two, zero := 1.0, 2.0, 0.0
	for _, tt := range []struct {
		a, b *float64
		want string
	}{
		{&one, &two, "+100.0 %"}, {&two, &one, "-50.0 %"}, {&one, &one, "="}, {&zero, &zero, "="}, {&zero, &one, "-"}, {nil, &one, "-"}, {&one, nil, "-"},
	} {
		if got := change(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// TestTableOnATerminal: the columns of all groups are in line.
func TestTableOnATerminal(t *testing.T) {
	a, out, _ := testApp(true)
	r := &sim.Result{
		Scenario: "x", Nodes: 2, Figures: map[string]float64{"delivered": 0.5, "hops.mean": 2, "lies": 1},
		Outcomes: map[string]uint64{"ok": 1, "busy": 5}, FailureCount: 12, Missed: []string{"delivered is 0.5, expected >= 0.9"},
		Failures: make([]sim.Failure, 11),
	}
	r.Failures[0] = sim.Failure{Message: 3, To: "echo\x1b[2J", Outcome: "ok", Lie: true, Why: "its handler did not run"}
	sc := &sim.Scenario{Expect: map[string]string{"delivered": ">= 0.9"}}
	if err := a.simText(r, sc, func(uint64) string { return "replay it" }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\ndelivery\n  delivered  50 %  delivered  MISSED: expected at least 90 %\n  lies          1  lies\n",
		"\nways\n  hops          2  hops.mean\n",
		"\nfinal words\n  busy  5\n  ok    1\n",
		"\nfailures\n  message 3, sent at 0s by n0 to echo\\x1b[2J, was told \"ok\", a lie: its handler did not run\n    replay it\n",
		"  and 2 more\n",
		"\nFAIL  One expectation is missed.\n  delivered is 0.5, expected >= 0.9\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
