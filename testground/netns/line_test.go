package netns_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

func TestLineOfFive(t *testing.T) {
	l := newLab(t)
	hosts := l.Hosts("a", "b", "c", "d", "e")
	var cables []*netns.Switch
	for i := range 4 {
		cables = append(cables, l.Connect(hosts[i], hosts[i+1], fmt.Sprintf("10.%d.0.0/24", i+1)))
	}
	for i, cable := range cables {
		reach(t, hosts[i], hosts[i+1].Addr(cable))
	}
	for i, far := range cables[1:] {
		if hosts[i].Reaches(hosts[i+2].Addr(far)) == nil {
			t.Fatalf("%s reaches %s, two cables away", hosts[i].Name, hosts[i+2].Name)
		}
	}

	nodes := upChain(t, hosts, cables)
	a, e := nodes[0], nodes[4]
	serve(t, e, "inventory")

	asks := func() {
		t.Helper()
		r, took, err := a.Request("inventory", "shelf 7", "--timeout", "10s")
		check(t, err)
		if r.Text != "shelf 7" || r.From != id(t, e) || r.Hops != 4 {
			t.Fatalf("a got %+v: want its own words back from e, over 4 hops", r)
		}
		t.Logf("answered over %d hops in %v", r.Hops, took.Round(time.Millisecond))
	}
	asks()
	searched := probes(t, nodes)
	if searched[0] == 0 {
		t.Fatal("the first request was answered without a probe: nothing can be learned from the second")
	}
	asks()
	if again := probes(t, nodes); !slices.Equal(searched, again) {
		t.Fatalf("probes of a to e were %v before the second request and %v after it: want no new one", searched, again)
	}
}
