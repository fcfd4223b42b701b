package link

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// counter is a Handler that releases what comes and counts it.
type counter struct {
	frames, answers atomic.Int64
	want            int64
	done            chan struct{}
	answer          bool
}

func (c *counter) Frames(l *Link, batch []Frame) {
	size := 0
	for i := range batch {
		size += batch[i].Size
		if c.answer {
			l.Answer(&mesh.Answer{Seq: uint64(i), Status: mesh.StatusOK})
		}
	}
	l.Release(size)
	l.Flush()
	c.add(&c.frames, len(batch))
}

func (c *counter) Answers(_ *Link, batch []mesh.Answer) { c.add(&c.answers, len(batch)) }

func (c *counter) add(to *atomic.Int64, n int) {
	if now := to.Add(int64(n)); now >= c.want && now-int64(n) < c.want {
		close(c.done)
	}
}

func (*counter) Graft(*Link, string)               {}
func (*counter) Withdraw(*Link, string)            {}
func (*counter) Bye(*Link)                         {}
func (*counter) Unsent(*Link, []Item, mesh.Status) {}
func (*counter) Suspect(*Link, bool)               {}

// ends gives two connected streams.
type ends func(b testing.TB) (a, z io.ReadWriteCloser)

func inMemory(testing.TB) (a, z io.ReadWriteCloser) {
	x, y := newPipe(256<<10), newPipe(256<<10)
	type end struct {
		io.Reader
		io.WriteCloser
	}
	return end{x, y}, end{y, x}
}

func loopback(b testing.TB) (a, z io.ReadWriteCloser) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	a, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	if z, err = ln.Accept(); err != nil {
		b.Fatal(err)
	}
	return a.(net.Conn), z
}

// BenchmarkLink sends frames over one link; with answers, each is answered.
func BenchmarkLink(b *testing.B) {
	for _, over := range []struct {
		name string
		ends ends
	}{{"memory", inMemory}, {"tcp", loopback}} {
		for _, size := range []int{128, 1 << 10, 16 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%d", over.name, size), func(b *testing.B) { bench(b, over.ends, size, false) })
		}
		b.Run(over.name+"/answered/128", func(b *testing.B) { bench(b, over.ends, 128, true) })
	}
}

func bench(b *testing.B, over ends, size int, answered bool) {
	x, y := over(b)
	defer x.Close()
	defer y.Close()
	room := make(chan struct{}, 1)
	cfg := DefaultConfig()
	cfg.OnRoom = func() {
		select {
		case room <- struct{}{}:
		default:
		}
	}
	from := &counter{want: int64(b.N), done: make(chan struct{})}
	to := &counter{want: int64(b.N), done: make(chan struct{}), answer: answered}
	l, z := New(cfg, x, x, cfg.Window, from), New(cfg, y, y, cfg.Window, to)
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.Run() })
	wg.Go(func() { _ = z.Run() })
	hop := mesh.HopHeader{TTL: 4}
	body := make([]byte, size-mesh.HopHeaderLen)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; {
		hop.Seq = uint64(i)
		if _, err := l.Send(2, &hop, body, Item{Seq: hop.Seq, Local: true}); err == mesh.ErrBusy {
			l.Flush()
			<-room
			continue
		} else if err != nil {
			b.Fatal(err)
		}
		if i++; i%32 == 0 {
			l.Flush()
		}
	}
	l.Flush()
	if answered {
		<-from.done
	} else {
		<-to.done
	}
	b.StopTimer()
	l.Close(nil)
	z.Close(nil)
	wg.Wait()
}
