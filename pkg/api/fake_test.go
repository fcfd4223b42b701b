package api

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a node whose every verb a test can replace.
type fake struct {
	publish    func(ctx context.Context, to string, body []byte, o Send) (meshnode.Receipt, error)
	publishAll func(ctx context.Context, to string, body []byte, o Send) ([]meshnode.Receipt, error)
	request    func(ctx context.Context, to string, body []byte, o Send) (meshnode.Reply, error)
	gather     func(ctx context.Context, to string, body []byte, want meshnode.Want, o Send) (meshnode.Gathered, error)
	replies    []meshnode.Reply
	replyErr   error
	messages   chan *meshnode.Message
	subscribed func(to string, o Subscription)
	handlers   chan registration
	drained    bool
	status     meshnode.Status
}

type registration struct {
	service string
	handle  meshnode.Handler
	options Serve
	closed  chan struct{}
}

func (r registration) Close() error { close(r.closed); return nil }

func (f *fake) Publish(ctx context.Context, to string, b []byte, o Send) (meshnode.Receipt, error) {
	return f.publish(ctx, to, b, o)
}

func (f *fake) PublishAll(ctx context.Context, to string, b []byte, o Send) ([]meshnode.Receipt, error) {
	return f.publishAll(ctx, to, b, o)
}

func (f *fake) Request(ctx context.Context, to string, b []byte, o Send) (meshnode.Reply, error) {
	return f.request(ctx, to, b, o)
}

func (f *fake) RequestAll(context.Context, string, []byte, Send) iter.Seq2[meshnode.Reply, error] {
	return func(yield func(meshnode.Reply, error) bool) {
		for _, r := range f.replies {
			if !yield(r, nil) {
				return
			}
		}
		if f.replyErr != nil {
			yield(meshnode.Reply{}, f.replyErr)
		}
	}
}

func (f *fake) Gather(ctx context.Context, to string, b []byte, want meshnode.Want, o Send) (meshnode.Gathered, error) {
	return f.gather(ctx, to, b, want, o)
}

func (f *fake) Broadcast(ctx context.Context, group string, b []byte, o Send) error {
	_, err := f.publish(ctx, "group:"+group, b, o)
	return err
}

func (f *fake) Subscribe(ctx context.Context, to string, o Subscription) (iter.Seq2[*meshnode.Message, error], error) {
	if f.subscribed != nil {
		f.subscribed(to, o)
	}
	return func(yield func(*meshnode.Message, error) bool) {
		for {
			select {
			case m, ok := <-f.messages:
				if !ok || !yield(m, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}, nil
}

func (f *fake) Handle(service string, h meshnode.Handler, o Serve) (io.Closer, error) {
	r := registration{service, h, o, make(chan struct{})}
	f.handlers <- r
	return r, nil
}

func (f *fake) Resolve(context.Context, string) ([]meshnode.ProviderInfo, error) {
	return []meshnode.ProviderInfo{{Peer: somebody, Hops: 2}}, nil
}

func (f *fake) Explain(_ context.Context, to string) ([]meshnode.CandidateInfo, error) {
	return []meshnode.CandidateInfo{{Peer: somebody, Standing: "first", Why: "it is " + to}}, nil
}

func (f *fake) Wait(ctx context.Context, c Condition) error {
	if c.Ready {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}
func (f *fake) Connect(context.Context, string) (peer.ID, error) { return somebody, nil }
func (f *fake) Disconnect(_ context.Context, id peer.ID) error   { return nil }
func (f *fake) Drain(context.Context) error                      { f.drained = true; return nil }
func (f *fake) Undrain()                                         { f.drained = false }
func (f *fake) Peers() []meshnode.PeerInfo                       { return []meshnode.PeerInfo{{ID: somebody, Name: "ada"}} }
func (f *fake) Routes() []meshnode.RouteInfo                     { return nil }
func (f *fake) Services() []meshnode.ServiceInfo                 { return []meshnode.ServiceInfo{{Name: "orders"}} }
func (f *fake) Groups() []meshnode.GroupInfo                     { return nil }
func (f *fake) Status() meshnode.Status                          { return f.status }

var somebody = func() peer.ID {
	_, pub, err := crypto.GenerateEd25519Key(zeros{})
	if err != nil {
		panic(err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		panic(err)
	}
	return id
}()

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// socketDir is short, since a socket's path may not be long.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mesh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve runs a server on a Unix socket and gives a client of it, and what
// ends the server at once.
func serve(t *testing.T, cfg Config) (*Client, func()) {
	t.Helper()
	return serveAt(t, cfg, filepath.Join(socketDir(t), "api.sock"), "")
}

func serveAt(t *testing.T, cfg Config, addr, tokenFile string) (*Client, func()) {
	t.Helper()
	l, err := Listen(addr, tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(cfg)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(l); err != nil {
			t.Error(err)
		}
	})
	stop := sync.OnceFunc(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
	c, err := Dial(l.Address(), l.token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); stop() })
	return c, stop
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func message(text string) *meshnode.Message {
	now := time.Now()
	return &meshnode.Message{
		ID: mesh.NewID(), From: somebody, To: mesh.Service("orders"), Mode: mesh.ModeOne, Class: mesh.ClassConfirm,
		Payload: []byte(text), Created: now, Expires: now.Add(time.Minute),
	}
}
