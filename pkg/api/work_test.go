package api

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// hire attaches a worker and gives its stream, and the handler it stands for.
func hire(t *testing.T, o Serve) (*Stream[Work], registration) {
	t.Helper()
	f := &fake{handlers: make(chan registration, 1)}
	c, _ := serve(t, Config{Node: f})
	s, err := c.Work(deadline(t), "orders", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, <-f.handlers
}

func take(t *testing.T, s *Stream[Work]) Work {
	t.Helper()
	w, err, _ := s.next()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type outcome struct {
	reply meshnode.Reply
	err   error
}

// ask runs the handler as the node would.
func ask(ctx context.Context, reg registration, m *meshnode.Message) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		r, err := reg.handle(ctx, m)
		out <- outcome{r, err}
	}()
	return out
}

func TestWorkIsAnsweredOnce(t *testing.T) {
	s, reg := hire(t, Serve{Concurrency: 3, Attributes: mesh.Attributes{"os": "bsd"}})
	if reg.service != "orders" || reg.options.Concurrency != 3 || reg.options.Attributes["os"] != "bsd" {
		t.Errorf("%q %+v", reg.service, reg.options)
	}
	done := ask(deadline(t), reg, message("2+2"))
	w := take(t, s)
	if string(w.Bytes()) != "2+2" || w.Work == "" {
		t.Fatalf("%+v", w)
	}
	reply := Reply{ContentType: "text/plain", Headers: map[string]string{"a": "b"}, Body: MakeBody([]byte("4"))}
	if err := w.Answer(deadline(t), reply); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || string(got.reply.Payload) != "4" || got.reply.ContentType != "text/plain" || got.reply.Headers["a"] != "b" {
		t.Errorf("%+v", got)
	}
	if err := w.Answer(deadline(t), reply); !errors.Is(err, ErrNotFound) {
		t.Errorf("answered twice: %v", err)
	}
}

func TestWorkFails(t *testing.T) {
	s, reg := hire(t, Serve{})
	done := ask(deadline(t), reg, message("x"))
	w := take(t, s)
	if err := w.Fail(deadline(t), "no paper", false); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.err == nil || got.err.Error() != "no paper" {
		t.Errorf("%v", got.err)
	}
	done = ask(deadline(t), reg, message("x"))
	w = take(t, s)
	if err := w.Fail(deadline(t), "later", true); err != nil {
		t.Fatal(err)
	}
	if got := <-done; !errors.Is(got.err, mesh.ErrBusy) {
		t.Errorf("%v", got.err)
	}
}

func TestWorkThatNobodyAnswersExpires(t *testing.T) {
	s, reg := hire(t, Serve{})
	ctx, cancel := context.WithCancel(deadline(t))
	done := ask(ctx, reg, message("x"))
	w := take(t, s)
	cancel()
	if got := <-done; !errors.Is(got.err, context.Canceled) || errors.Is(got.err, mesh.ErrBusy) {
		t.Errorf("%v", got.err)
	}
	if err := w.Answer(deadline(t), Reply{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("too late: %v", err)
	}
}

func TestALostWorkerFailsWhatItHolds(t *testing.T) {
	s, reg := hire(t, Serve{})
	done := ask(deadline(t), reg, message("x"))
	take(t, s)
	s.Close()
	if got := <-done; !errors.Is(got.err, errWorkerGone) {
		t.Errorf("%v", got.err)
	}
	<-reg.closed
}

func TestWorkNotHandedOutIsRetryable(t *testing.T) {
	k := &worker{pending: &pending{items: map[string]*item{}}, hand: make(chan *item), gone: make(chan struct{})}
	close(k.gone)
	if _, err := k.handle(deadline(t), message("x")); !errors.Is(err, mesh.ErrBusy) {
		t.Errorf("a worker that is gone: %v", err)
	}
	k.gone = make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := k.handle(ctx, message("x")); !errors.Is(err, mesh.ErrBusy) {
		t.Errorf("nobody took it: %v", err)
	}
}

func TestManyItemsAtOnce(t *testing.T) {
	s, reg := hire(t, Serve{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r, err := reg.handle(deadline(t), message("x"))
			if err != nil || string(r.Payload) != "x" {
				t.Errorf("%q, %v", r.Payload, err)
			}
		})
	}
	for range 50 {
		w := take(t, s)
		wg.Go(func() {
			if err := w.Answer(deadline(t), Reply{Body: w.Body}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
