package memnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Config{Latency: func(from, _ uint64) time.Duration { return time.Duration(from) * time.Millisecond }})
		began := time.Now()
		a, b := pipe(t, n)
		took(t, "dialled", began, 3*time.Millisecond) // there and back

		began = time.Now()
		write(t, a, "there")
		took(t, "written", began, 0)
		read(t, b, "there")
		took(t, "read", began, time.Millisecond)
		began = time.Now()
		write(t, b, "back")
		read(t, a, "back")
		took(t, "answered", began, 2*time.Millisecond)
	})
}

// What is read late is there at once, in as many bytes as fit.
func TestReadsWhatHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, apart(far))
		write(t, a, "one")
		write(t, a, "two")
		<-time.After(far)
		write(t, a, "three")
		began := time.Now()
		read(t, b, "onetwo")
		took(t, "read", began, 0)
		small := make([]byte, 4)
		if k, err := b.Read(small); k != 4 || err != nil || string(small) != "thre" {
			t.Errorf("read %q, %v", small[:k], err)
		}
		read(t, b, "e")
		took(t, "read", began, far)
	})
}

func TestBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, New(Config{Bandwidth: 1000, Latency: func(_, _ uint64) time.Duration { return far }}))
		began := time.Now()
		write(t, a, string(make([]byte, 500)))
		write(t, a, string(make([]byte, 250)))
		got := make([]byte, 500)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		took(t, "the first", began, 500*time.Millisecond+far)
		if _, err := io.ReadFull(b, got[:250]); err != nil {
			t.Fatal(err)
		}
		took(t, "the second", began, 750*time.Millisecond+far)
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, New(Config{Buffer: 4}))
		began := time.Now()
		b.SetReadDeadline(began.Add(time.Second))
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		took(t, "read", began, time.Second)
		write(t, a, "x")
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read after the deadline: %v", err)
		}
		b.SetReadDeadline(time.Time{})
		read(t, b, "x")

		began = time.Now()
		a.SetWriteDeadline(began.Add(time.Second))
		if k, err := a.Write([]byte("123456")); k != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d: %v", k, err)
		}
		took(t, "written", began, time.Second)

		// A deadline set while somebody waits, and one taken back.
		began = time.Now()
		a.SetDeadline(began.Add(time.Minute))
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
			took(t, "cut short", began, time.Second)
		})
		synctest.Wait()
		a.SetDeadline(began.Add(time.Second))
		wg.Wait()
	})
}

// A full buffer holds the writer until the reader makes room.
func TestBackpressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, New(Config{Buffer: 100, Latency: func(_, _ uint64) time.Duration { return far }}))
		sent := bytes.Repeat([]byte("0123456789"), 25)
		done := make(chan error, 1)
		go func() {
			_, err := a.Write(sent)
			done <- err
		}()
		synctest.Wait()
		a.out.mu.Lock()
		if a.out.size != 100 {
			t.Errorf("%d bytes are held, want 100", a.out.size)
		}
		a.out.mu.Unlock()
		select {
		case err := <-done:
			t.Fatalf("written, with %v, though there was no room", err)
		default:
		}
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("read %q, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, apart(far))
		began := time.Now()
		write(t, a, "last")
		a.CloseWrite()
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		read(t, b, "last")
		for range 2 { // the end stays
			if k, err := b.Read(make([]byte, 1)); k != 0 || err != io.EOF {
				t.Errorf("read %d, %v: want the end", k, err)
			}
		}
		took(t, "the end", began, far)
		write(t, b, "answer")
		read(t, a, "answer")
	})
}

// The other side of a Close reads what was written, then the end; its writes
// fail once it can know.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := apart(far)
		a, b := pipe(t, n)
		write(t, a, "bye")
		began := time.Now()
		a.Close()
		a.Close()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		write(t, b, "too late, and not known yet")
		read(t, b, "bye")
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
		took(t, "the end", began, far)
		if _, err := b.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
	})
}

// A writer that waits for room is told when nobody reads any more.
func TestCloseWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pipe(t, New(Config{Buffer: 4, Latency: func(_, _ uint64) time.Duration { return far }}))
		began := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Write(make([]byte, 5)); !errors.Is(err, ErrReset) {
				t.Errorf("write: %v", err)
			}
			took(t, "told", began, far)
		})
		synctest.Wait()
		b.Close()
		wg.Wait()
	})
}

// Whatever happens at once, nobody hangs and nothing is left.
func TestRaces(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			n := New(Config{Buffer: 8, Latency: func(_, _ uint64) time.Duration { return time.Millisecond }})
			a, b := pipe(t, n)
			var wg sync.WaitGroup
			for _, c := range []*conn{a, b} {
				wg.Go(func() { io.Copy(io.Discard, c) })
				wg.Go(func() {
					for {
						if _, err := c.Write(make([]byte, 3)); err != nil {
							return
						}
					}
				})
				wg.Go(func() { c.SetDeadline(time.Now().Add(time.Hour)) })
			}
			wg.Go(func() { n.Silence(func(_, _ uint64) bool { return true }) })
			wg.Go(func() { n.Silence(nil) })
			<-time.After(3 * time.Millisecond)
			wg.Go(func() { a.Close() })
			wg.Go(func() { n.Cut(1, 2) })
			wg.Go(func() { b.CloseWrite() })
			wg.Go(func() { b.Close() })
			wg.Wait()
		})
	}
}
