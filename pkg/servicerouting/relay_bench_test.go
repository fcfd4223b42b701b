package servicerouting

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// What a relay costs: pre-signed confirm frames of 1 KiB through three relays,
// and their receipts home, against a bare forwarder over the same links, and
// that against a single link (TCP, TLS, yamux on loopback).

const (
	benchPayload = 1 << 10
	onTheWay     = 2048 // frames sent and not yet heard of
)

// wire is a pair of libp2p streams between two hosts, one each way.
type wire struct{ ab, ba [2]network.Stream } // written at [0], read at [1]

func hosts(t testing.TB, n int) []host.Host {
	t.Helper()
	var out []host.Host
	for range n {
		h, err := libp2p.New(
			libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.Transport(tcp.NewTCPTransport),
			libp2p.Security(libp2ptls.ID, libp2ptls.New), libp2p.DisableMetrics(), libp2p.DisableRelay(),
			libp2p.ResourceManager(&network.NullResourceManager{}),
		)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		out = append(out, h)
	}
	return out
}

func wires(t testing.TB, hs []host.Host) []wire {
	t.Helper()
	out := make([]wire, len(hs)-1)
	for i := range out {
		out[i].ab = stream(t, hs[i], hs[i+1])
		out[i].ba = stream(t, hs[i+1], hs[i])
	}
	return out
}

func stream(t testing.TB, a, b host.Host) (s [2]network.Stream) {
	t.Helper()
	got := make(chan network.Stream, 1)
	const proto = "/bench/1"
	b.SetStreamHandler(proto, func(s network.Stream) {
		var one [1]byte
		_, _ = io.ReadFull(s, one[:])
		got <- s
	})
	a.Peerstore().AddAddrs(b.ID(), b.Addrs(), peerstore.PermanentAddrTTL)
	w, err := a.NewStream(t.Context(), b.ID(), proto)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{0}); err != nil {
		t.Fatal(err)
	}
	return [2]network.Stream{w, <-got}
}

func cpuTime() time.Duration {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// cost is what a run of messages took.
type cost struct {
	n      int
	wall   time.Duration
	cpu    time.Duration
	allocs float64 // per message
}

func (c cost) rate() float64 { return float64(c.n) / c.wall.Seconds() }
func (c cost) perMsg() time.Duration {
	return c.cpu / time.Duration(c.n)
}
func (c cost) String() string {
	return fmt.Sprintf("%.0f/s, %.2f µs CPU and %.2f allocations per message", c.rate(), float64(c.perMsg().Nanoseconds())/1e3, c.allocs)
}

func measure(n int, run func()) cost {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	run()
	c := cost{n: n, wall: time.Since(start), cpu: cpuTime() - cpu}
	runtime.ReadMemStats(&after)
	c.allocs = float64(after.Mallocs-before.Mallocs) / float64(n)
	return c
}

// end is a hand-made node at an end of the line.
type end struct {
	l       *link.Link
	key     crypto.PrivKey
	id      peer.ID
	answers atomic.Int64 // of any kind
	busy    atomic.Int64 // among them: refused by a relay, nothing was done
	able    chan struct{}
	got     chan struct{} // a value for every answer batch
	seq     uint64
	receipt []byte
	record  []byte
}

func (e *end) Frames(l *link.Link, batch []link.Frame) {
	size := 0
	for _, f := range batch {
		size += f.Size
		hop, err := mesh.ParseHop(f.Bytes)
		if err != nil {
			panic(err)
		}
		a := mesh.Answer{Seq: hop.Seq, Status: mesh.StatusOK, Body: e.receipt}
		if hop.Flags&mesh.FlagProbe != 0 {
			a = mesh.Answer{Seq: hop.Seq, Status: mesh.StatusAble, Body: e.record}
		}
		l.Answer(&a)
	}
	l.Release(size)
	l.Flush()
}

func (e *end) Answers(_ *link.Link, batch []mesh.Answer) {
	if batch[0].Status == mesh.StatusAble {
		close(e.able)
		return
	}
	for i := range batch {
		if batch[i].Status != mesh.StatusOK {
			e.busy.Add(1)
		}
		e.answers.Add(1)
	}
	select {
	case e.got <- struct{}{}:
	default:
	}
}
func (*end) Graft(*link.Link, string)                    {}
func (*end) Withdraw(*link.Link, string)                 {}
func (*end) Bye(*link.Link)                              {}
func (*end) Unsent(*link.Link, []link.Item, mesh.Status) {}
func (*end) Suspect(*link.Link, bool)                    {}

func newEnd(t testing.TB, net mesh.Network) *end {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	rec, err := (&mesh.Record{Provider: id, Network: net, Service: "bench", Epoch: 1, Created: now, Expires: now.Add(time.Hour)}).Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := (&mesh.ProbeAnswer{Record: rec}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	rc, err := (&mesh.Receipt{ID: mesh.NewID(), Origin: id, Provider: id, Service: "bench", Status: mesh.StatusOK, At: now}).Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	return &end{key: key, id: id, able: make(chan struct{}), got: make(chan struct{}, 1), record: body, receipt: rc}
}

// relayLine is end - three forwarders - end.
type relayLine struct {
	src, dst *end
	net      mesh.Network
	rests    [][]byte // pre-signed envelopes and proofs
	next     int
	round    uint8
}

func newRelayLine(t testing.TB, frames int) *relayLine {
	t.Helper()
	r := &relayLine{net: mesh.NetworkOf("bench", nil)}
	r.src, r.dst = newEnd(t, r.net), newEnd(t, r.net)
	ws := wires(t, hosts(t, 5))
	var fs []*Forwarder
	for range 3 {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		cfg := DefaultConfig()
		cfg.Key, cfg.Network = key, r.net
		f, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		fs = append(fs, f)
	}
	cfg := DefaultConfig().Link
	r.src.l = link.New(cfg, ws[0].ab[0], ws[0].ba[1], cfg.Window, r.src)
	r.dst.l = link.New(cfg, ws[3].ba[0], ws[3].ab[1], cfg.Window, r.dst)
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.src.l.Run() })
	wg.Go(func() { _ = r.dst.l.Run() })
	left := []peer.ID{r.src.id, fs[0].ID(), fs[1].ID()}
	right := []peer.ID{fs[1].ID(), fs[2].ID(), r.dst.id}
	for i, f := range fs {
		wg.Go(func() { _ = f.AddLink(left[i], ws[i].ba[0], ws[i].ab[1], cfg.Window) })
		wg.Go(func() { _ = f.AddLink(right[i], ws[i+1].ab[0], ws[i+1].ba[1], cfg.Window) })
	}
	t.Cleanup(func() {
		for _, f := range fs {
			_ = f.Close()
		}
		r.src.l.Close(io.EOF)
		r.dst.l.Close(io.EOF)
		wg.Wait()
	})
	for _, f := range fs {
		for deadline := time.Now().Add(10 * time.Second); len(f.Neighbours()) < 2; {
			if time.Now().After(deadline) {
				t.Fatal("no links")
			}
			runtime.Gosched()
		}
	}
	// A probe teaches the relays the way.
	probe := r.sign(t, r.envelope(mesh.TypeProbe, 2*time.Second))
	if _, err := r.src.l.Send(2, &mesh.HopHeader{Flags: mesh.FlagProbe, TTL: 10, Seq: r.src.nextSeq()}, probe, link.Item{Local: true}); err != nil {
		t.Fatal(err)
	}
	r.src.l.Flush()
	select {
	case <-r.src.able:
	case <-time.After(10 * time.Second):
		t.Fatal("no answer to the probe")
	}
	for range frames {
		r.rests = append(r.rests, r.sign(t, r.envelope(mesh.TypeData, 9*time.Minute)))
	}
	return r
}

func (e *end) nextSeq() uint64 { e.seq++; return e.seq }

func (r *relayLine) envelope(typ mesh.Type, life time.Duration) *mesh.Envelope {
	now := time.Now().Truncate(time.Millisecond)
	e := &mesh.Envelope{
		ID: mesh.NewID(), Origin: r.src.id, Network: r.net, Address: mesh.Service("bench"), Mode: mesh.ModeOne,
		Class: mesh.ClassConfirm, Type: typ, Created: now, Expires: now.Add(life), TTL: mesh.MaxTTL,
	}
	if typ == mesh.TypeData {
		e.Payload = make([]byte, benchPayload)
		rand.Read(e.Payload)
	}
	return e
}

func (r *relayLine) sign(t testing.TB, e *mesh.Envelope) []byte {
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	proof, err := mesh.SignEnvelope(r.src.key, b)
	if err != nil {
		t.Fatal(err)
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	return append(append(out, b...), proof...)
}

// run sends n of the pre-signed frames and waits for as many answers, with a
// window of frames on the way. What a relay refused for want of room does not
// count.
func (r *relayLine) run(t testing.TB, n int) cost {
	busy := r.src.busy.Load()
	r.round++ // an attempt of its own: the frames of the last round are in the seen-sets
	c := measure(n, func() {
		base := r.src.answers.Load()
		deadline := time.After(6 * time.Second)
		for sent := 0; sent < n || r.src.answers.Load()-base < int64(n); {
			if sent < n && int64(sent)-(r.src.answers.Load()-base) < onTheWay {
				hop := mesh.HopHeader{TTL: mesh.MaxTTL, Budget: mesh.FirstBudget, Priority: 3, Attempt: r.round, Seq: r.src.nextSeq(), Bound: r.dst.id}
				if _, err := r.src.l.Send(3, &hop, r.rests[r.next%len(r.rests)], link.Item{Seq: hop.Seq, Local: true}); err != nil {
					t.Fatal(err)
				}
				r.next++
				sent++
				continue
			}
			r.src.l.Flush()
			select {
			case <-r.src.got:
			case <-deadline:
				t.Fatalf("%d of %d answers", r.src.answers.Load()-base, n)
			}
		}
	})
	if refused := int(r.src.busy.Load() - busy); refused > 0 {
		t.Logf("%d refused for want of room", refused)
		c.n -= refused
	}
	return c
}

// bareLine is the least that forwards over the same links: drop duplicates by
// a digest, count the TTL down, pass on. No envelope is looked into, no way is
// looked up, nothing is remembered for an answer, and none comes.
type bareLine struct {
	src *link.Link
	got chan int
	seq uint64
}

// bareHop is a relay of it, or with next nil the far end, which counts.
type bareHop struct {
	digest     digester
	young, old map[router.Key]struct{}
	next       *link.Link
	got        chan int
	sum        [16]byte
}

func (b *bareHop) Frames(l *link.Link, batch []link.Frame) {
	size := 0
	for _, f := range batch {
		size += f.Size
		if b.next == nil {
			continue
		}
		key := b.digest.sum(f.Bytes[mesh.HopHeaderLen:], b.sum[:])
		hop, err := mesh.ParseHop(f.Bytes)
		if err != nil {
			panic(err)
		}
		key = router.Key{key[0] ^ hop.Seq, key[1]} // the test sends the same bytes again
		_, twice := b.young[key]
		if _, before := b.old[key]; twice || before {
			continue
		}
		if len(b.young) == 1<<16 {
			b.young, b.old = make(map[router.Key]struct{}, 1<<16), b.young
		}
		b.young[key] = struct{}{}
		hop.TTL--
		hop.Hops++
		if _, err := b.next.Send(3, &hop.HopHeader, f.Bytes[mesh.HopHeaderLen:], link.Item{Seq: hop.Seq, Local: true}); err != nil {
			panic(err)
		}
	}
	if b.next != nil {
		b.next.Flush()
	} else {
		b.got <- len(batch)
	}
	l.Release(size)
	l.Flush()
}

func (*bareHop) Answers(*link.Link, []mesh.Answer)           {}
func (*bareHop) Graft(*link.Link, string)                    {}
func (*bareHop) Withdraw(*link.Link, string)                 {}
func (*bareHop) Bye(*link.Link)                              {}
func (*bareHop) Unsent(*link.Link, []link.Item, mesh.Status) {}
func (*bareHop) Suspect(*link.Link, bool)                    {}

func newBareLine(t testing.TB, hops int) *bareLine {
	b := &bareLine{got: make(chan int, 1024)}
	ws := wires(t, hosts(t, hops+1))
	cfg := DefaultConfig().Link
	var all []*link.Link
	var next *link.Link // the link on which the node at hand sends
	for i := hops; i >= 1; i-- {
		d, err := newDigester()
		if err != nil {
			t.Fatal(err)
		}
		node := &bareHop{digest: d, young: make(map[router.Key]struct{}, 1<<16), next: next, got: b.got}
		in := link.New(cfg, ws[i-1].ba[0], ws[i-1].ab[1], cfg.Window, node)
		next = link.New(cfg, ws[i-1].ab[0], ws[i-1].ba[1], cfg.Window, &bareHop{})
		all = append(all, in, next)
	}
	b.src = next
	var wg sync.WaitGroup
	for _, l := range all {
		wg.Go(func() { _ = l.Run() })
	}
	t.Cleanup(func() {
		for _, l := range all {
			l.Close(io.EOF)
		}
		wg.Wait()
	})
	return b
}

func (b *bareLine) run(t testing.TB, n int, rest []byte) cost {
	return measure(n, func() {
		for sent, got := 0, 0; got < n; {
			if sent < n && sent-got < onTheWay {
				b.seq++
				hop := mesh.HopHeader{TTL: mesh.MaxTTL, Seq: b.seq}
				if _, err := b.src.Send(3, &hop, rest, link.Item{Seq: hop.Seq, Local: true}); err != nil {
					t.Fatal(err)
				}
				sent++
				continue
			}
			b.src.Flush()
			got += <-b.got
		}
	})
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// TestRelayCost compares, side by side in one run, our relays with the bare
// forwarder, and the bare forwarder with a single link.
func TestRelayCost(t *testing.T) {
	if testing.Short() {
		t.Skip("five rounds take several seconds, and this is -short")
	}
	if raceEnabled {
		t.Skip("the race detector changes what is measured")
	}
	const n, rounds = 40_000, 5
	ours, bare, single := newRelayLine(t, n), newBareLine(t, 4), newBareLine(t, 1)
	var ratio, honest, allocs []float64
	for range rounds {
		b := bare.run(t, n, ours.rests[0])
		o := ours.run(t, n)
		s := single.run(t, n, ours.rests[0])
		ratio = append(ratio, o.rate()/b.rate())
		honest = append(honest, float64(b.perMsg())/4/float64(s.perMsg()))
		allocs = append(allocs, o.allocs/4)
		t.Logf("ours %v; bare %v; one link %v", o, b, s)
	}
	r, h, a := median(ratio), median(honest), median(allocs)
	t.Logf("rate against the bare forwarder %.2f; bare forwarder per hop against one link %.2f; allocations per frame and hop %.2f", r, h, a)
	// The aim is 0.7. Other packages' tests run beside this one, so that only
	// much less is a failure; .ci/run prints the figures taken alone.
	if r < 0.55 {
		t.Errorf("rate is %.2f of the bare forwarder's, far from 0.7", r)
	}
	if h > 1.5 {
		t.Errorf("the bare forwarder takes %.2f of one link's CPU per hop, want at most 1.5: it is no honest measure", h)
	}
	if a > 1 {
		t.Errorf("%.2f allocations per frame and hop, want at most 1", a)
	}
}
