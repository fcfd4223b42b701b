package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func silent(_, _ uint64) bool { return true }

// Both ends learn of a cut at once, whatever they wait for.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := apart(far)
		a, b := pipe(t, n)
		began := time.Now()
		var wg sync.WaitGroup
		for _, c := range []*conn{a, b} {
			wg.Go(func() {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, ErrReset) {
					t.Errorf("read: %v", err)
				}
				took(t, "told", began, 0)
			})
		}
		synctest.Wait()
		if cut := n.Cut(3, 2); cut != 0 {
			t.Errorf("cut %d connections of others", cut)
		}
		if cut := n.Cut(2, 1); cut != 1 {
			t.Errorf("cut %d connections, want 1", cut)
		}
		if open := n.Conns(); open != 0 {
			t.Errorf("%d connections are left", open)
		}
		wg.Wait()
		if _, err := a.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
	})
}

// What was on its way when silence fell arrives one latency after it ends.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := apart(far)
		a, b := pipe(t, n)
		write(t, a, "before")
		n.Silence(func(x, y uint64) bool { return x == 2 && y == 1 })
		write(t, a, " during")
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); err == nil {
			t.Error("something crossed")
		}
		b.SetReadDeadline(time.Time{})
		n.Silence(func(_, _ uint64) bool { return false })
		began := time.Now()
		read(t, b, "before during")
		took(t, "healed", began, far)
	})
}

// Nobody learns in silence that the other has closed.
func TestCloseInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := apart(far)
		a, b := pipe(t, n)
		n.Silence(silent)
		a.Close()
		<-time.After(time.Hour)
		write(t, b, "still")
		b.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := b.Read(make([]byte, 1)); err == io.EOF {
			t.Error("the end crossed")
		}
		b.SetReadDeadline(time.Time{})
		n.Silence(nil)
		began := time.Now()
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
		took(t, "the end", began, far)
		if _, err := b.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := apart(far)
		began := time.Now()
		if _, err := n.dial(t.Context(), 1, 2); !errors.Is(err, ErrRefused) {
			t.Errorf("dial to nobody: %v", err)
		}
		took(t, "refused", began, 2*far)

		l, err := n.listen(2)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.listen(2); err == nil {
			t.Error("two listen at one address")
		}
		n.Silence(silent)
		began = time.Now()
		if _, err := n.dial(within(t, time.Minute), 1, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial in silence: %v", err)
		}
		took(t, "given up", began, time.Minute)
		began = time.Now()
		heal := time.AfterFunc(time.Second, func() { n.Silence(nil) })
		defer heal.Stop()
		c, err := n.dial(within(t, time.Minute), 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		took(t, "dialled again", began, time.Second+2*far)

		l.Close() // and with it what nobody accepted
		l.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, ErrReset) {
			t.Errorf("read: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
		if n.Conns() != 0 {
			t.Errorf("%d connections are left", n.Conns())
		}
	})
}

// A listener that accepts nothing refuses when its backlog is full.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Config{})
		l, err := n.listen(2)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for range backlog {
			if _, err := n.dial(t.Context(), 1, 2); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.dial(t.Context(), 1, 2); !errors.Is(err, ErrRefused) {
			t.Errorf("dial: %v", err)
		}
	})
}
