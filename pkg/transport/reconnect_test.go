package transport

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const me = peer.ID("m")

func middle() float64 { return 0.5 } // no jitter

func addrs(t *testing.T, texts ...string) []ma.Multiaddr {
	t.Helper()
	out, err := parseAddrs("test", texts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// clock counts from the start of a scenario.
type clock struct {
	start time.Time
	p     *plan
}

func newClock(degree int, random func() float64) clock {
	return clock{time.Unix(1e9, 0), newPlan(me, degree, random)}
}

func (c clock) at(d time.Duration) time.Time { return c.start.Add(d) }

// dials checks whom the plan names at a time, and when it wants to be asked
// again (-1: not at all).
func (c clock) dials(t *testing.T, d time.Duration, want string, again time.Duration) {
	t.Helper()
	got, next := c.p.next(c.at(d), 100)
	var ids []string
	for _, info := range got {
		ids = append(ids, string(info.ID))
	}
	if s := fmt.Sprint(ids); s != "["+want+"]" {
		t.Errorf("at %v: dials %s, want [%s]", d, s, want)
	}
	wait := time.Duration(-1)
	if !next.IsZero() {
		wait = next.Sub(c.start)
	}
	if wait != again {
		t.Errorf("at %v: asks again at %v, want %v", d, wait, again)
	}
}

func TestBackoff(t *testing.T) {
	for tries, want := range map[int]time.Duration{
		1: 250 * time.Millisecond, 2: 500 * time.Millisecond, 3: time.Second, 8: 32 * time.Second,
		9: time.Minute, 29: time.Minute, 1000: time.Minute,
	} {
		if got := backoff(tries, firstRetry, lastRetry, 0.5); got != want {
			t.Errorf("%d tries: %v, want %v", tries, got, want)
		}
	}
	if low, high := backoff(3, firstRetry, lastRetry, 0), backoff(3, firstRetry, lastRetry, 1); low != 800*time.Millisecond || high != 1200*time.Millisecond {
		t.Errorf("jitter from %v to %v", low, high)
	}
}

func TestPlanBacksOff(t *testing.T) {
	c := newClock(8, middle)
	c.p.add(c.at(0), "x", addrs(t, "/ip4/1.2.3.4/tcp/1"), fromUser)
	c.dials(t, 0, "x", -1)
	c.dials(t, time.Second, "", -1) // while dialling
	now := 2 * time.Second
	for _, wait := range []time.Duration{250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000} {
		c.p.failed(c.at(now), "x")
		now += wait * time.Millisecond
		c.dials(t, now-1, "", now)
		c.dials(t, now, "x", -1)
	}
	// A link that ends at once goes on from there; one that lasted does not.
	c.p.up(c.at(now), "x")
	c.dials(t, now+time.Hour, "", -1)
	now += time.Second
	c.p.down(c.at(now), "x")
	c.dials(t, now, "", now+time.Minute)
	now += time.Minute
	c.dials(t, now, "x", -1)
	c.p.up(c.at(now), "x")
	now += stableLink
	c.p.down(c.at(now), "x")
	c.dials(t, now, "", now+250*time.Millisecond)
}

func TestPlanRememberedRarely(t *testing.T) {
	c := newClock(8, middle)
	c.p.add(c.at(0), "x", addrs(t, "/ip4/1.2.3.4/tcp/1"), fromFile)
	now := time.Duration(0)
	for range 20 {
		c.p.next(c.at(now), 1)
		c.p.failed(c.at(now), "x")
		_, next := c.p.next(c.at(now), 1)
		now = next.Sub(c.start)
	}
	c.dials(t, now, "x", -1)
	c.p.failed(c.at(now), "x")
	c.dials(t, now, "", now+10*time.Minute)
}

func TestPlanRefusedAndBarred(t *testing.T) {
	c := newClock(8, middle)
	c.p.add(c.at(0), "x", addrs(t, "/ip4/1.2.3.4/tcp/1"), fromUser)
	c.dials(t, 0, "x", -1)
	c.p.refused("x", c.at(5*time.Minute))
	c.p.failed(c.at(0), "x")
	c.dials(t, 5*time.Minute-1, "", 5*time.Minute)
	c.p.bar("x")
	c.dials(t, time.Hour, "", -1)
	c.p.allow(c.at(time.Hour), "x")
	c.dials(t, time.Hour, "x", -1)
}

// Of two that find each other the lower peer ID dials first.
func TestPlanYields(t *testing.T) {
	c := newClock(8, middle)
	c.p.add(c.at(0), "a", addrs(t, "/ip4/10.0.0.1/tcp/1"), fromLAN)
	c.p.add(c.at(0), "z", addrs(t, "/ip4/10.0.0.2/tcp/1"), fromLAN)
	c.p.add(c.at(0), me, addrs(t, "/ip4/10.0.0.3/tcp/1"), fromLAN)
	c.dials(t, 0, "z", 300*time.Millisecond)
	c.dials(t, 300*time.Millisecond, "a", -1)
	c.p.up(c.at(time.Second), "a")
	c.p.down(c.at(time.Minute), "a")
	c.dials(t, time.Minute, "", time.Minute+550*time.Millisecond)
}

func TestPlanDegree(t *testing.T) {
	c := newClock(2, middle)
	for i, id := range []peer.ID{"n", "o", "p", "q"} {
		c.p.add(c.at(time.Duration(i)), id, addrs(t, "/ip4/10.0.0.1/tcp/1"), fromFile)
	}
	c.p.add(c.at(9), "s", addrs(t, "/ip4/1.2.3.4/tcp/1"), fromUser)
	c.dials(t, 10, "s n o", -1) // the named one besides
	c.dials(t, 10, "", -1)
	c.p.up(c.at(10), "n")
	c.p.failed(c.at(10), "o")
	c.dials(t, 10, "p", 10+250*time.Millisecond)
	c.p.up(c.at(10), "p")
	c.dials(t, time.Second, "", -1) // enough
	c.p.down(c.at(20*time.Second), "n")
	c.dials(t, 20*time.Second, "q", 20*time.Second+250*time.Millisecond)
	c.p.failed(c.at(20*time.Second), "s")
	c.p.up(c.at(20*time.Second), "o")
	c.dials(t, time.Minute, "s", -1)
}

func TestPlanFree(t *testing.T) {
	c := newClock(8, middle)
	for _, id := range []peer.ID{"n", "o", "p"} {
		c.p.add(c.at(0), id, addrs(t, "/ip4/10.0.0.1/tcp/1"), fromFile)
	}
	for _, want := range []peer.ID{"n", "o", "p"} {
		if got, _ := c.p.next(c.at(0), 1); len(got) != 1 || got[0].ID != want {
			t.Errorf("dials %v, want %s", got, want)
		}
	}
	if got, _ := c.p.next(c.at(0), 0); len(got) != 0 {
		t.Errorf("dials %v with no slot free", got)
	}
}

// What mDNS said is believed for an hour, and for as long as it is linked.
func TestPlanForgetsLAN(t *testing.T) {
	c := newClock(8, middle)
	c.p.add(c.at(0), "x", addrs(t, "/ip4/10.0.0.1/tcp/1"), fromLAN)
	c.p.add(c.at(0), "y", addrs(t, "/ip4/10.0.0.2/tcp/1"), fromLAN)
	c.dials(t, 0, "x y", -1)
	c.p.up(c.at(0), "y")
	c.p.failed(c.at(0), "x")
	c.dials(t, time.Hour, "x", -1)
	c.p.failed(c.at(time.Hour), "x")
	c.dials(t, time.Hour+time.Minute, "", -1)
	if c.p.targets["x"] != nil || c.p.targets["y"] == nil {
		t.Errorf("targets %v", c.p.targets)
	}
}

func TestPlanBounds(t *testing.T) {
	c := newClock(8, middle)
	for i := range maxTargets + 10 {
		c.p.add(c.at(0), peer.ID(fmt.Sprintf("x%d", i)), addrs(t, "/ip4/10.0.0.1/tcp/1"), fromLAN)
	}
	if n := len(c.p.targets); n != maxTargets {
		t.Errorf("%d targets", n)
	}
	c.p.add(c.at(0), "s", addrs(t, "/ip4/1.2.3.4/tcp/1"), fromUser)
	if !c.p.named("s") || c.p.named("x1") {
		t.Error("a named peer was left out")
	}
	for i := range 100 {
		c.p.add(c.at(0), "s", addrs(t, fmt.Sprintf("/ip4/1.2.3.4/tcp/%d", i+1)), fromFile)
	}
	got := c.p.targets["s"].addrs
	if len(got) != maxPeerAddr || !slices.ContainsFunc(got, addrs(t, "/ip4/1.2.3.4/tcp/100")[0].Equal) {
		t.Errorf("addresses %v", got)
	}
}
