package link

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// pipe is one direction of a stream: a buffer of limited size, which can be
// changed and looked into.
type pipe struct {
	mu      sync.Mutex
	cond    sync.Cond
	buf     []byte
	max     int
	closed  bool
	broken  bool
	largest int // Write
	writes  int
}

func newPipe(max int) *pipe {
	p := &pipe{max: max}
	p.cond.L = &p.mu
	return p
}

func (p *pipe) Write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	p.largest = max(p.largest, len(b))
	for len(b) > 0 {
		for len(p.buf) >= p.max && !p.broken && !p.closed {
			p.cond.Wait()
		}
		if p.broken || p.closed {
			return n, io.ErrClosedPipe
		}
		k := min(len(b), p.max-len(p.buf))
		p.buf = append(p.buf, b[:k]...)
		b, n = b[k:], n+k
		p.cond.Broadcast()
	}
	return n, nil
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && !p.broken && !p.closed {
		p.cond.Wait()
	}
	if p.broken {
		return 0, io.ErrClosedPipe
	}
	if len(p.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.buf)
	p.buf = p.buf[:copy(p.buf, p.buf[n:])]
	p.cond.Broadcast()
	return n, nil
}

// Close lets the reader have what is there; Reset does not.
func (p *pipe) Close() error { return p.set(&p.closed) }
func (p *pipe) Reset() error { return p.set(&p.broken) }

func (p *pipe) set(flag *bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	*flag = true
	p.cond.Broadcast()
	return nil
}

// resize lets more through, or nothing with 0.
func (p *pipe) resize(max int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.max = max
	p.cond.Broadcast()
}

const (
	laneRequest = 2
	laneRest    = 3
)

// with gives the defaults, but for what is set in c.
func with(c Config) Config {
	d := DefaultConfig()
	d.OnRoom = c.OnRoom
	for _, f := range []struct{ to, from *int }{{&d.MaxQueue, &c.MaxQueue}, {&d.MaxControl, &c.MaxControl}} {
		if *f.from != 0 {
			*f.to = *f.from
		}
	}
	if c.Window != 0 {
		d.Window = c.Window
	}
	if c.Now != nil {
		d.Now = c.Now
	}
	return d
}

// wide is a pipe's size that never blocks in these tests.
const wide = 64 << 20

// note is a Handler that writes down what it is told.
type note struct {
	mu       sync.Mutex
	frames   [][]byte
	answers  []mesh.Answer
	events   []string
	unsent   map[mesh.Status][]uint64
	suspects []bool
	at       []time.Time // of suspects
	hold     bool        // frames are not released
	onFrames func()
}

func (n *note) Frames(l *Link, batch []Frame) {
	size := 0
	n.mu.Lock()
	for _, f := range batch {
		n.frames = append(n.frames, bytes.Clone(f.Bytes))
		n.events = append(n.events, "frame")
		size += f.Size
	}
	hold, call := n.hold, n.onFrames
	n.mu.Unlock()
	if call != nil {
		call()
	}
	if !hold {
		l.Release(size)
	}
}

func (n *note) Answers(_ *Link, batch []mesh.Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range batch {
		a.Body = bytes.Clone(a.Body)
		n.answers = append(n.answers, a)
	}
}

func (n *note) event(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, s)
}

func (n *note) Graft(_ *Link, s string)    { n.event("graft " + s) }
func (n *note) Withdraw(_ *Link, s string) { n.event("withdraw " + s) }
func (n *note) Bye(*Link)                  { n.event("bye") }

func (n *note) Unsent(_ *Link, items []Item, why mesh.Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unsent == nil {
		n.unsent = make(map[mesh.Status][]uint64)
	}
	for _, it := range items {
		n.unsent[why] = append(n.unsent[why], it.Seq)
	}
}

func (n *note) Suspect(_ *Link, s bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.suspects = append(n.suspects, s)
	n.at = append(n.at, time.Now())
}

// given is what Unsent gave, with a reason.
func (n *note) given(why mesh.Status) []uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.unsent[why])
}

func (n *note) seqs() (out []uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.frames {
		out = append(out, binary.BigEndian.Uint64(b[16:]))
	}
	return out
}

// rest makes what follows the hop header, n bytes that tell of seq.
func rest(seq uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq + uint64(i*7))
	}
	return b
}

// send queues a frame of n bytes.
func send(t testing.TB, l *Link, lane int, seq uint64, n int, item Item) Ref {
	t.Helper()
	item.Seq = seq
	defer l.Flush()
	ref, err := l.Send(lane, &mesh.HopHeader{Seq: seq, TTL: 3}, rest(seq, n-mesh.HopHeaderLen), item)
	if err != nil {
		t.Fatalf("send %d: %v", seq, err)
	}
	return ref
}

// run runs a link until the test's end, or until ended is read.
func run(t *testing.T, l *Link) (ended <-chan error) {
	ch := make(chan error, 1)
	go func() { ch <- l.Run() }()
	t.Cleanup(func() { l.Close(nil) })
	return ch
}

// end closes the links and waits for them.
func end(ended ...<-chan error) {
	for _, e := range ended {
		<-e
	}
}

// couple is two links that speak to each other through pipes.
type couple struct {
	a, b         *Link
	an, bn       *note
	ab, ba       *pipe
	aDone, bDone <-chan error
}

func newCouple(t *testing.T, cfg Config, size int) *couple {
	c := &couple{an: new(note), bn: new(note), ab: newPipe(size), ba: newPipe(size)}
	window := cfg.Window
	c.a = New(cfg, c.ab, c.ba, window, c.an)
	c.b = New(cfg, c.ba, c.ab, window, c.bn)
	c.aDone, c.bDone = run(t, c.a), run(t, c.b)
	return c
}

func (c *couple) end() {
	c.a.Close(nil)
	c.b.Close(nil)
	end(c.aDone, c.bDone)
}

// raw is a link whose neighbour is the test: it reads out and writes in.
type raw struct {
	l       *Link
	n       *note
	out, in *pipe
	done    <-chan error
}

func newRaw(t *testing.T, cfg Config, size int, credit uint64) *raw {
	r := &raw{n: new(note), out: newPipe(size), in: newPipe(wide)}
	r.l = New(cfg, r.out, r.in, credit, r.n)
	r.done = run(t, r.l)
	return r
}

// units takes all whole units that the link wrote and, in a bubble, will
// write now.
func (r *raw) units(t *testing.T) (kinds []Kind, bodies [][]byte) {
	t.Helper()
	synctest.Wait()
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	for {
		k, body, n, err := nextUnit(r.out.buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		kinds, bodies = append(kinds, k), append(bodies, bytes.Clone(body))
		r.out.buf = r.out.buf[n:]
	}
	r.out.cond.Broadcast()
	return kinds, bodies
}

func (r *raw) put(kind Kind, body []byte) {
	_, _ = r.in.Write(appendUnit(nil, kind, body))
}

func (r *raw) number(kind Kind, v uint64) { r.put(kind, binary.BigEndian.AppendUint64(nil, v)) }

func (r *raw) close() error {
	r.l.Close(nil)
	return <-r.done
}

func span1(from, to uint64) (out []uint64) {
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}

func same(t *testing.T, what string, got, want []uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
