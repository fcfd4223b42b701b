package api

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// slow is a node whose Publish waits until it is released.
func slow(began chan<- struct{}, release <-chan struct{}) *fake {
	return &fake{
		messages: make(chan *meshnode.Message),
		publish: func(ctx context.Context, _ string, _ []byte, _ Send) (meshnode.Receipt, error) {
			began <- struct{}{}
			select {
			case <-release:
				return meshnode.Receipt{Status: mesh.StatusOK}, nil
			case <-ctx.Done():
				return meshnode.Receipt{}, ctx.Err()
			}
		},
	}
}

func start(t *testing.T, n Node) (*Server, *Client, *sync.WaitGroup) {
	t.Helper()
	l, err := Listen(filepath.Join(socketDir(t), "s"), "")
	if err != nil {
		t.Fatal(err)
	}
	s, wg := NewServer(Config{Node: n}), new(sync.WaitGroup)
	wg.Go(func() {
		if err := s.Serve(l); err != nil {
			t.Error(err)
		}
	})
	c, err := Dial(l.Address(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s, c, wg
}

func TestShutdownEndsStreamsAndFinishesCalls(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	s, c, served := start(t, slow(began, release))
	stream, err := c.Subscribe(deadline(t), "orders", Subscription{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Publish(deadline(t), "orders", nil, Send{})
		answered <- err
	}()
	<-began
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(deadline(t)) }()
	if _, err, more := stream.next(); !errors.Is(err, ErrNoDaemon) || more {
		t.Errorf("the stream: %v", err)
	}
	select {
	case err := <-down:
		t.Errorf("it did not wait for the call: %v", err)
	default:
	}
	close(release)
	if err := errors.Join(<-answered, <-down); err != nil {
		t.Error(err)
	}
	served.Wait()
}

func TestCloseCutsCallsOff(t *testing.T) {
	began := make(chan struct{})
	s, c, served := start(t, slow(began, nil))
	answered := make(chan error, 1)
	go func() {
		_, err := c.Publish(deadline(t), "orders", nil, Send{})
		answered <- err
	}()
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, mesh.ErrUnknown) {
		t.Errorf("the call: %v", err)
	}
	served.Wait()
}

func TestBodiesHaveABudget(t *testing.T) {
	began, release := make(chan struct{}, 1), make(chan struct{})
	close(release)
	s, c, served := start(t, slow(began, release))
	s.bodies.Store(MaxBodies - 3)
	if _, err := c.Publish(deadline(t), "orders", []byte("four"), Send{}); !errors.Is(err, mesh.ErrBusy) {
		t.Errorf("over it: %v", err)
	}
	if _, err := c.Publish(deadline(t), "orders", []byte("tre"), Send{}); err != nil {
		t.Errorf("within it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	served.Wait()
	if n := s.bodies.Load(); n != MaxBodies-3 {
		t.Errorf("%d bytes are held", n)
	}
}
