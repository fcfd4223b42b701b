package router

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// desk is one router with providers as its neighbours, and answers for them.
type desk struct {
	*Router
	t    *testing.T
	now  time.Time
	id   uint64
	say  map[string]Checked       // by provider; OK unless said otherwise
	rtt  map[string]time.Duration // 2 ms unless said otherwise
	port map[string]Port
}

func newDesk(t *testing.T, tune func(*Config)) *desk {
	cfg := DefaultConfig()
	if tune != nil {
		tune(&cfg)
	}
	return &desk{
		Router: New(nodeID("me"), cfg, 7), t: t, now: time.UnixMilli(1_800_000_000_000),
		say: map[string]Checked{}, rtt: map[string]time.Duration{}, port: map[string]Port{},
	}
}

// provider links a neighbour that serves "svc".
func (d *desk) provider(name string, attrs mesh.Attributes) {
	d.port[name] = d.LinkUp(d.now, nodeID(name))
	d.tell(name, attrs, time.Time{})
}

func (d *desk) tell(name string, attrs mesh.Attributes, since time.Time) {
	d.Record(d.now, &mesh.Record{
		Provider: nodeID(name), Service: "svc", Attributes: attrs, Epoch: uint64(d.now.UnixMicro()),
		Expires: d.now.Add(10 * time.Minute), Since: since,
	}, 0)
	d.Take(nil)
}

// ask publishes one message and gives who was asked and what came of it. It
// takes as long as the provider does.
func (d *desk) ask(to string, opt func(*Pub)) (asked []string, out Outcome) {
	d.t.Helper()
	addr, err := mesh.ParseAddress(to)
	if err != nil {
		d.t.Fatal(err)
	}
	d.id++
	p := &Pub{To: addr, Mode: mesh.ModeOne, Class: mesh.ClassConfirm, TTL: mesh.MaxTTL, Expires: d.now.Add(30 * time.Second)}
	binary.BigEndian.PutUint64(p.ID[8:], d.id)
	p.Key = Key{d.id, d.id}
	if opt != nil {
		opt(p)
	}
	d.Publish(d.now, p)
	for range 100 {
		acts := d.Take(nil)
		for i := range acts {
			a := &acts[i]
			switch {
			case a.Op == OpSend && a.Pub == p:
				name := nodeName(a.Hop.Bound)
				asked = append(asked, name)
				c, ok := d.say[name]
				if !ok {
					c.Status = mesh.StatusOK
				}
				c.Provider = a.Hop.Bound
				if k := d.Router.provider("svc", c.Provider); k != nil && c.Attributes == 0 {
					c.Attributes = k.attrs.Digest()
				}
				rtt, ok := d.rtt[name]
				if !ok {
					rtt = 2 * time.Millisecond
				}
				d.now = d.now.Add(rtt)
				d.Checked(d.now, a.Port, p, mesh.Answer{Seq: a.Hop.Seq, Status: c.Status}, c)
			case a.Op == OpProbe:
				d.SendProbe(d.now, a.Probe, Key{d.id, uint64(d.now.UnixNano())}, d.now.Add(2*time.Second), nil)
			case a.Op == OpNews && a.Pub == p && a.Outcome.Final:
				return asked, a.Outcome
			}
		}
		if len(acts) == 0 {
			if next := d.Next(); !next.IsZero() && next.After(d.now) {
				d.now = next
			}
			d.Tick(d.now)
		}
	}
	d.t.Fatalf("%s: no end, asked %v", to, asked)
	return nil, Outcome{}
}

// share asks n times, pause apart, and counts who was asked.
func (d *desk) share(n int, pause time.Duration, to string, opt func(*Pub)) map[string]int {
	d.t.Helper()
	got := map[string]int{}
	for range n {
		asked, _ := d.ask(to, opt)
		for _, a := range asked {
			got[a]++
		}
		d.now = d.now.Add(pause)
		d.Sweep(d.now)
	}
	return got
}

func TestEqualProvidersShareEqually(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 5 {
		d.provider(fmt.Sprint("p", i), nil)
	}
	got := d.share(5000, time.Millisecond, "svc", nil)
	var sum2 float64
	for i := range 5 {
		x := float64(got[fmt.Sprint("p", i)]) - 1000
		sum2 += x * x
	}
	if cv := math.Sqrt(sum2/5) / 1000; cv > 0.15 {
		t.Errorf("coefficient of variation %.3f: %v", cv, got)
	}
}

func TestLoadMovesWork(t *testing.T) {
	d := newDesk(t, nil)
	for _, n := range []string{"idle", "half", "hot"} {
		d.provider(n, nil)
	}
	d.say["half"] = Checked{Status: mesh.StatusOK, Load: 50}
	d.say["hot"] = Checked{Status: mesh.StatusOK, Load: 95}
	got := d.share(1000, time.Millisecond, "svc", nil)
	if got["idle"] < got["half"] || got["half"] < got["hot"] || got["hot"] > 100 {
		t.Errorf("shares %v", got)
	}
}

// A slow provider is hardly asked, and is tried again after a while: once it
// is quick it has its share again.
func TestSlowProviderReturns(t *testing.T) {
	d := newDesk(t, nil)
	for _, n := range []string{"a", "b", "slow"} {
		d.provider(n, nil)
	}
	d.rtt["slow"] = 2 * time.Second
	if got := d.share(1000, 100*time.Millisecond, "svc", nil); got["slow"] > 10 {
		t.Errorf("while slow: %v", got)
	}
	d.rtt["slow"] = 2 * time.Millisecond
	d.share(6000, 100*time.Millisecond, "svc", nil)
	if got := d.share(999, 100*time.Millisecond, "svc", nil); got["slow"] < 200 {
		t.Errorf("after it: %v", got)
	}
}

func TestZoneFirst(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Zone = []Level{{"region", "eu"}, {"rack", "7"}} })
	d.provider("far", mesh.Attributes{"region": "us", "rack": "7"})
	if got := d.share(5, time.Second, "svc", nil); got["far"] != 5 {
		t.Fatalf("the only one: %v", got)
	}
	d.provider("near", mesh.Attributes{"region": "eu", "rack": "1"})
	if got := d.share(100, time.Millisecond, "svc", nil); got["near"] != 100 {
		t.Errorf("same region: %v", got)
	}
	d.provider("beside", mesh.Attributes{"region": "eu", "rack": "7"})
	if got := d.share(100, time.Millisecond, "svc", nil); got["beside"] != 100 {
		t.Errorf("same rack: %v", got)
	}
	// Full: the next best has it, at once and for the second to come.
	d.say["beside"] = Checked{Status: mesh.StatusBusy}
	asked, out := d.ask("svc", nil)
	if out.Status != mesh.StatusOK || len(asked) != 2 || asked[1] != "near" {
		t.Errorf("when it is full: %v, %v", asked, out.Status)
	}
	if asked, _ := d.ask("svc", nil); asked[0] != "near" {
		t.Errorf("right after that: %v", asked)
	}
}

// Five failures in a row set a provider aside, for ten seconds, and it comes
// back little by little.
func TestOutlierIsSetAsideAndReturns(t *testing.T) {
	d := newDesk(t, nil)
	for _, n := range []string{"a", "b", "bad"} {
		d.provider(n, nil)
	}
	d.say["bad"] = Checked{Status: mesh.StatusHandlerFailed}
	for range 5 {
		d.ask("svc", func(p *Pub) { p.Exclude = []peer.ID{nodeID("a"), nodeID("b")} })
	}
	left := d.now
	if got := d.share(400, 10*time.Millisecond, "svc", nil); got["bad"] != 0 {
		t.Errorf("set aside: %v", got)
	}
	if c := candidateOf(d, "bad"); c.Standing != SetAside || c.Aside <= 0 || c.Aside > 10*time.Second {
		t.Errorf("explained as %v for %v", c.Standing, c.Aside)
	}
	d.say["bad"] = Checked{Status: mesh.StatusOK}
	d.now = left.Add(10*time.Second + time.Millisecond)
	early := d.share(100, 10*time.Millisecond, "svc", nil)["bad"]
	d.now = d.now.Add(5 * time.Minute)
	late := d.share(300, 10*time.Millisecond, "svc", nil)["bad"]
	if early >= 33 || late < 60 {
		t.Errorf("%d of 100 right after its return, %d of 300 later", early, late)
	}
}

// At most half are set aside, and when all fail, all are still asked.
func TestNotAllAreSetAside(t *testing.T) {
	d := newDesk(t, nil)
	for i := range 4 {
		n := fmt.Sprint("p", i)
		d.provider(n, nil)
		d.say[n] = Checked{Status: mesh.StatusHandlerFailed}
	}
	d.share(200, 10*time.Millisecond, "svc", nil)
	aside := 0
	for _, p := range d.providers["svc"] {
		if p.out(d.now) {
			aside++
		}
	}
	if aside != 2 {
		t.Errorf("%d of 4 are set aside, want 2", aside)
	}
	only := newDesk(t, nil)
	only.provider("p", nil)
	only.say["p"] = Checked{Status: mesh.StatusHandlerFailed}
	if got := only.share(20, 10*time.Millisecond, "svc", nil); got["p"] != 20 {
		t.Errorf("the only one: %v", got)
	}
}

func TestNewcomerIsEasedIn(t *testing.T) {
	d := newDesk(t, nil)
	for _, n := range []string{"a", "b"} {
		d.provider(n, nil)
	}
	d.share(100, 10*time.Millisecond, "svc", nil)
	d.port["new"] = d.LinkUp(d.now, nodeID("new"))
	d.tell("new", nil, d.now)
	first := d.share(100, 10*time.Millisecond, "svc", nil)["new"]
	d.now = d.now.Add(slowStart)
	later := d.share(300, 10*time.Millisecond, "svc", nil)["new"]
	if first > 15 || later < 70 {
		t.Errorf("%d of 100 in its first second, %d of 300 later", first, later)
	}
}

// A key sticks to a provider, moves when it goes, and only its keys move.
func TestSticky(t *testing.T) {
	d := newDesk(t, nil)
	names := []string{"a", "b", "c", "d"}
	for _, n := range names {
		d.provider(n, nil)
	}
	where := func() map[string]string {
		at := map[string]string{}
		for i := range 200 {
			key := fmt.Sprint("key-", i)
			asked, _ := d.ask("svc", func(p *Pub) { p.Sticky = key })
			at[key] = asked[0]
		}
		return at
	}
	before := where()
	if again := where(); !maps.Equal(before, again) {
		t.Error("a key moved though nothing changed")
	}
	per := map[string]int{}
	for _, n := range before {
		per[n]++
	}
	for _, n := range names {
		if per[n] < 25 {
			t.Errorf("%s has %d of 200 keys", n, per[n])
		}
	}
	d.Withdraw(nodeID("c"), "svc")
	for key, n := range where() {
		if before[key] != "c" && before[key] != n {
			t.Errorf("%s moved from %s to %s when c went", key, before[key], n)
		}
		if n == "c" {
			t.Errorf("%s is still with c", key)
		}
	}
}

// A refusal sends the message on at once, without waiting or searching.
func TestRefusalsReroute(t *testing.T) {
	for _, st := range []mesh.Status{mesh.StatusBusy, mesh.StatusIncapable, mesh.StatusDraining, mesh.StatusNoProvider} {
		d := newDesk(t, nil)
		for _, n := range []string{"a", "b", "c"} {
			d.provider(n, nil)
			d.say[n] = Checked{Status: st}
		}
		d.say["c"] = Checked{Status: mesh.StatusOK}
		for range 10 {
			at := d.now
			asked, out := d.ask("svc", nil)
			if out.Status != mesh.StatusOK || asked[len(asked)-1] != "c" || d.now.Sub(at) > 10*time.Millisecond {
				t.Errorf("%v: asked %v, %v after %v", st, asked, out.Status, d.now.Sub(at))
			}
		}
	}
}

// A word of success renews the record that it agrees with, and ends one that
// it does not.
func TestWordsRenewRecords(t *testing.T) {
	d := newDesk(t, nil)
	d.provider("a", mesh.Attributes{"version": "1"})
	if got := d.share(20, time.Minute, "svc", nil); got["a"] != 20 {
		t.Errorf("in 20 minutes: %v", got)
	}
	d.say["a"] = Checked{Status: mesh.StatusOK, Attributes: mesh.Attributes{"version": "2"}.Digest()}
	d.ask("svc", nil)
	if asked, out := d.ask("svc", nil); out.Status != mesh.StatusNoProvider {
		t.Errorf("out of date and asked still: %v, %v", asked, out.Status)
	}
	d.now = d.now.Add(2 * time.Second)
	d.tell("a", mesh.Attributes{"version": "2"}, time.Time{})
	if asked, out := d.ask("svc", nil); out.Status != mesh.StatusOK {
		t.Errorf("with a new record: %v, %v", asked, out.Status)
	}
}

func candidateOf(d *desk, name string) Candidate {
	for _, c := range d.Explain(d.now, mesh.Service("svc"), mesh.MaxTTL) {
		if c.Peer == nodeID(name) {
			return c
		}
	}
	return Candidate{}
}

func TestExplain(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Zone = []Level{{"region", "eu"}} })
	d.provider("eu-1", mesh.Attributes{"region": "eu"})
	d.provider("eu-2", mesh.Attributes{"region": "eu"})
	d.provider("us", mesh.Attributes{"region": "us"})
	d.say["eu-2"] = Checked{Status: mesh.StatusOK, Load: 80}
	d.share(20, 10*time.Millisecond, "svc", nil)
	d.Record(d.now, &mesh.Record{Provider: nodeID("lost"), Service: "svc", Expires: d.now.Add(time.Minute)}, 0)
	var got []string
	for _, c := range d.Explain(d.now, mesh.Service("svc"), mesh.MaxTTL) {
		got = append(got, nodeName(c.Peer)+" "+c.Standing.String())
	}
	want := []string{"eu-1 first", "eu-2 able", "us farther", "lost no way"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c := candidateOf(d, "eu-2"); c.Cost.Load < 2 || c.Cost.Sum() <= candidateOf(d, "eu-1").Cost.Sum() {
		t.Errorf("the loaded one costs %+v", c.Cost)
	}
}
