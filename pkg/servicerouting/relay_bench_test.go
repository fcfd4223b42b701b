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
)

// What a relay costs: pre-signed confirm frames through three relays, and
// their receipts home, against a bare forwarder over the same kind of streams
// (TCP, TLS, yamux on loopback), which only drops duplicates and passes on.

const benchPayload = 1 << 10

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
	const window = 2048
	busy := r.src.busy.Load()
	c := measure(n, func() {
		base := r.src.answers.Load()
		deadline := time.After(6 * time.Second)
		for sent := 0; sent < n || r.src.answers.Load()-base < int64(n); {
			if sent < n && int64(sent)-(r.src.answers.Load()-base) < window {
				hop := mesh.HopHeader{TTL: mesh.MaxTTL, Budget: mesh.FirstBudget, Priority: 3, Seq: r.src.nextSeq(), Bound: r.dst.id}
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

// bareLine is the least that forwards: parse the length, drop duplicates by a
// digest, rewrite a byte, pass on; one buffer and one write per read.
type bareLine struct {
	ws   []wire
	got  chan int
	wg   sync.WaitGroup
	seqs uint64
}

func newBareLine(t testing.TB, hops int) *bareLine {
	b := &bareLine{ws: wires(t, hosts(t, hops+1)), got: make(chan int, 64)}
	for i := 1; i < hops; i++ {
		b.wg.Go(func() { relayBare(b.ws[i-1].ab[1], b.ws[i].ab[0]) })
	}
	b.wg.Go(func() { // the far end counts
		buf, used := make([]byte, 64<<10), 0
		for {
			n, err := b.ws[hops-1].ab[1].Read(buf[used:])
			if err != nil {
				return
			}
			used += n
			frames, at := 0, 0
			for used-at >= 4 {
				size := 4 + int(binary.BigEndian.Uint32(buf[at:]))
				if used-at < size {
					break
				}
				at += size
				frames++
			}
			used = copy(buf, buf[at:used])
			if frames > 0 {
				b.got <- frames
			}
		}
	})
	t.Cleanup(func() {
		for _, w := range b.ws {
			_ = w.ab[0].Reset()
			_ = w.ba[0].Reset()
		}
		b.wg.Wait()
	})
	return b
}

func relayBare(r io.Reader, w io.Writer) {
	d, err := newDigester()
	if err != nil {
		panic(err)
	}
	young, old := make(map[[2]uint64]struct{}, 1<<16), map[[2]uint64]struct{}(nil)
	buf, out, used := make([]byte, 64<<10), make([]byte, 0, 64<<10), 0
	var sum [16]byte
	for {
		n, err := r.Read(buf[used:])
		if err != nil {
			return
		}
		used += n
		at := 0
		out = out[:0]
		for used-at >= 4 {
			size := 4 + int(binary.BigEndian.Uint32(buf[at:]))
			if used-at < size {
				break
			}
			frame := buf[at : at+size]
			at += size
			key := [2]uint64(d.sum(frame[5:], sum[:]))
			if _, ok := young[key]; ok {
				continue
			}
			if _, ok := old[key]; ok {
				continue
			}
			if len(young) == 1<<16 {
				young, old = make(map[[2]uint64]struct{}, 1<<16), young
			}
			young[key] = struct{}{}
			frame[4]-- // the TTL
			out = append(out, frame...)
		}
		used = copy(buf, buf[at:used])
		if len(out) > 0 {
			if _, err := w.Write(out); err != nil {
				return
			}
		}
	}
}

func (b *bareLine) run(t testing.TB, n, size int) cost {
	const window = 2048
	frame := make([]byte, size)
	rand.Read(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return measure(n, func() {
		out := make([]byte, 0, 64<<10)
		sent, got := 0, 0
		for got < n {
			out = out[:0]
			for sent < n && sent-got < window && len(out) < 48<<10 {
				b.seqs++
				binary.BigEndian.PutUint64(frame[8:], b.seqs)
				frame[4] = 10
				out = append(out, frame...)
				sent++
			}
			if len(out) > 0 {
				if _, err := b.ws[0].ab[0].Write(out); err != nil {
					t.Fatal(err)
				}
			}
			if sent == n || sent-got >= window {
				got += <-b.got
			}
			for len(b.got) > 0 {
				got += <-b.got
			}
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
		t.Skip("short")
	}
	if raceEnabled {
		t.Skip("the race detector changes what is measured")
	}
	const n, rounds = 40_000, 5
	ours, bare, single := newRelayLine(t, n), newBareLine(t, 4), newBareLine(t, 1)
	ours.rests = ours.rests[:n]
	size := 5 + mesh.HopHeaderLen + len(ours.rests[0]) // the bare forwarder gets as many bytes
	var ratio, honest, allocs []float64
	for i := range rounds {
		// Every round has frames of its own: those of the last one are in the
		// seen-sets.
		if i > 0 {
			for k := range ours.rests {
				ours.rests[k] = ours.sign(t, ours.envelope(mesh.TypeData, 9*time.Minute))
			}
		}
		b := bare.run(t, n, size)
		o := ours.run(t, n)
		s := single.run(t, n, size)
		ratio = append(ratio, o.rate()/b.rate())
		honest = append(honest, float64(b.perMsg())/4/float64(s.perMsg()))
		allocs = append(allocs, o.allocs/4)
		t.Logf("ours %v; bare %v; one link %v", o, b, s)
	}
	r, h, a := median(ratio), median(honest), median(allocs)
	t.Logf("rate against the bare forwarder %.2f; bare forwarder per hop against one link %.2f; allocations per frame and hop %.2f", r, h, a)
	if r < 0.7 {
		t.Errorf("rate is %.2f of the bare forwarder's, want 0.7", r)
	}
	if h > 1.5 {
		t.Errorf("the bare forwarder takes %.2f of one link's CPU per hop, want at most 1.5: it is no honest measure", h)
	}
	if a > 1 {
		t.Errorf("%.2f allocations per frame and hop, want at most 1", a)
	}
}
