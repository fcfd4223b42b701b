package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/pflag"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

const adaID, bobID = "12D3KooWLu9vXKtnaH1iZVXFfMDjQFHMnuVmvtfVAqiwZ4mTCyFg", "12D3KooWCFD6VyBgTevHQ8YUuUe762KBvAdyPb1LH6gEqkAsy6Vd"

func ada(t *testing.T) peer.ID { return id(t, adaID) }
func bob(t *testing.T) peer.ID { return id(t, bobID) }

func id(t *testing.T, text string) peer.ID {
	t.Helper()
	id, err := peer.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestOutcome(t *testing.T) {
	failed := func(n int) (out []api.Failure) {
		for range n {
			out = append(out, api.Failure{Provider: ada(t), Problem: api.NewProblem(mesh.ErrBusy)})
		}
		return out
	}
	two := make([]api.Reply, 2)
	for _, tt := range []struct {
		g    api.Gathered
		n    int
		want string
	}{
		{api.Gathered{Replies: two}, 2, "2 of 2 answered"},
		{api.Gathered{Replies: two, Failed: failed(1), Missing: 1}, 4, "2 of 4 answered; 12D3…mTCyFg: busy; 1 not found"},
		{api.Gathered{Replies: two, Failed: failed(1)}, 0, "2 of 3 answered; 12D3…mTCyFg: busy"},
		{api.Gathered{Replies: two, Waiting: []peer.ID{ada(t), bob(t)}}, 4, "2 of 4 answered; not waited for: 12D3…mTCyFg, 12D3…Asy6Vd"},
		{api.Gathered{Failed: failed(10)}, 10, "0 of 10 answered" + strings.Repeat("; 12D3…mTCyFg: busy", 8) + "; 2 more failed"},
		{api.Gathered{Waiting: make([]peer.ID, 10)}, 10, "0 of 10 answered; not waited for: " + strings.Repeat(", ", 7) + ", 2 more"},
	} {
		if got := outcome(tt.g, tt.n); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestCandidatesFitATerminal(t *testing.T) {
	found := api.Candidates{To: "ocr", Candidates: []meshnode.CandidateInfo{
		{
			Peer: ada(t), Via: ada(t), Standing: "first", Why: "it is the best", Hops: 1, RTT: 1234567, Load: 6,
			Attributes: mesh.Attributes{"region": "eu", "caps": "[gpu,pdf]"}, Cost: meshnode.CostInfo{Total: 1.16, Way: 1, RTT: 0.04, Load: 0.12},
		},
		{
			Peer: bob(t), Via: ada(t), Standing: "set aside", Why: "failed\x1b", Hops: 10, RTT: 12*time.Second + 345*time.Millisecond, Load: 100,
			Cost: meshnode.CostInfo{Total: 16.5, Way: 10, RTT: 0.5, Load: 2.5, Failures: 1.5, Newcomer: 2},
		},
		{Peer: bob(t), Local: true, Standing: "incapable", Why: "gpu is missing"},
	}}
	a, out, _ := testApp(true)
	if err := a.candidates(found); err != nil {
		t.Fatal(err)
	}
	want := `   PEER         STANDING   COST                                                       HOPS  VIA          RTT     LOAD
*  12D3…mTCyFg  first      1.2 = way 1 + load 0.1                                     1     direct       1.23ms  6%
     has  caps=[gpu,pdf],region=eu
     why  it is the best
   12D3…Asy6Vd  set aside  16.5 = way 10 + rtt 0.5 + load 2.5 + failures 1.5 + new 2  10    12D3…mTCyFg  12.35s  100%
     why  failed\x1b
   12D3…Asy6Vd  incapable  0                                                          0     here         -       0%
     why  gpu is missing
`
	if out.String() != want {
		t.Errorf("printed\n%s", out)
	}
	for l := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(l) - 1; n > 120 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	a, out, _ = testApp(false)
	if err := a.candidates(found); err != nil {
		t.Fatal(err)
	}
	if want := "*\t" + adaID + "\tfirst\t1.2 = way 1 + load 0.1\t1\tdirect\t1.23ms\t6%\tcaps=[gpu,pdf],region=eu\tit is the best\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("in a pipe:\n%s", out)
	}
}

func TestNobodyAskable(t *testing.T) {
	for standing, want := range map[string]string{
		"": "MN-0201", "incapable": "MN-0204", "no way": "MN-0200",
	} {
		found := api.Candidates{To: "ocr"}
		if standing != "" {
			found.Candidates = []meshnode.CandidateInfo{{Standing: standing}}
		}
		if err := askable(found); err == nil || api.Lookup(err).Code != want || api.Lookup(err).Exit != api.ExitNotFound {
			t.Errorf("%q: %v, want %s", standing, err, want)
		}
	}
	if err := askable(api.Candidates{Candidates: []meshnode.CandidateInfo{{Standing: "first"}}}); err != nil {
		t.Error(err)
	}
}

func TestSendFlags(t *testing.T) {
	var s sendFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.add(f)
	if err := f.Parse(strings.Fields("--failover --ttl 3 --key k --sticky ada --no-wait --content-type a/b --header x=y")); err != nil {
		t.Fatal(err)
	}
	got, err := s.options()
	want := api.Send{Failover: true, TTL: 3, Key: "k", Sticky: "ada", NoWait: true, ContentType: "a/b", Headers: map[string]string{"x": "y"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Error(fmt.Sprintf("%+v", got), err)
	}
}
