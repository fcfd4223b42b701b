package memnet

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const far = 20 * time.Millisecond

// pipe gives both ends of a connection from host 1 to host 2.
func pipe(t *testing.T, n *Net) (dialled, accepted *conn) {
	t.Helper()
	l, err := n.listen(2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if dialled, err = n.dial(t.Context(), 1, 2); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted = c.(*conn)
	t.Cleanup(func() {
		dialled.Close()
		accepted.Close()
		if open := n.Conns(); open != 0 {
			t.Errorf("%d connections are left", open)
		}
	})
	return dialled, accepted
}

func apart(d time.Duration) *Net {
	return New(Config{Latency: func(_, _ uint64) time.Duration { return d }})
}

// took checks how much time has passed since a moment.
func took(t *testing.T, what string, since time.Time, want time.Duration) {
	t.Helper()
	if d := time.Since(since); d != want {
		t.Errorf("%s after %v, want %v", what, d, want)
	}
}

func write(t *testing.T, c *conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("wrote %d of %q: %v", n, text, err)
	}
}

func read(t *testing.T, c *conn, want string) {
	t.Helper()
	b := make([]byte, 64)
	n, err := c.Read(b)
	if string(b[:n]) != want || err != nil {
		t.Fatalf("read %q, %v: want %q", b[:n], err, want)
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
