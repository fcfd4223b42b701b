package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Config of a server.
type Config struct {
	Node Node
	// Down is called once, in a goroutine of its own, when a client asks the
	// daemon to stop. Nil: such requests are refused.
	Down func()
	// SetLogLevel changes a part's level ("*": all) at run time. Nil: refused.
	SetLogLevel func(part, level string) error
	// Stall is how long a reader may take nothing; 0 means StallTimeout.
	Stall time.Duration
	// Logger gets what has no caller to tell. Nil: discarded.
	Logger *slog.Logger
}

// Server serves one node on any number of listeners.
type Server struct {
	cfg     Config
	log     *slog.Logger
	mux     *http.ServeMux
	ctx     context.Context // ends the streams
	cancel  context.CancelFunc
	streams chan struct{} // a slot for each
	bodies  atomic.Int64  // bytes held
	work    pending
	down    sync.Once

	mu      sync.Mutex
	servers []*http.Server
	closed  bool
	wg      sync.WaitGroup // calls, and Down
}

// NewServer makes a server; it runs in Serve.
func NewServer(cfg Config) *Server {
	if cfg.Stall == 0 {
		cfg.Stall = StallTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, log: cfg.Logger, streams: make(chan struct{}, MaxStreams)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.items = make(map[string]*item)
	s.mux = s.routes()
	return s
}

func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) error{
		"POST /v1/services/{addr}/messages": s.publish,
		"POST /v1/services/{addr}/requests": s.request,
		"GET /v1/services/{addr}/messages":  s.subscribeService,
		"GET /v1/services/{addr}/work":      s.serveWork,
		"POST /v1/work/{id}":                s.answerWork,
		"POST /v1/groups/{name}/messages":   s.broadcast,
		"GET /v1/groups/{name}/messages":    s.subscribeGroup,
		"GET /v1/status":                    s.status,
		"GET /v1/peers":                     s.peers,
		"POST /v1/peers":                    s.connect,
		"DELETE /v1/peers/{id}":             s.disconnect,
		"GET /v1/routes":                    s.listRoutes,
		"GET /v1/services":                  s.services,
		"GET /v1/groups":                    s.groups,
		"GET /v1/resolve":                   s.resolve,
		"GET /v1/explain":                   s.explain,
		"GET /v1/wait":                      s.wait,
		"POST /v1/drain":                    s.drain,
		"POST /v1/undrain":                  s.undrain,
		"POST /v1/down":                     s.goDown,
		"PUT /v1/log":                       s.setLog,
		"GET /livez":                        s.live,
		"GET /readyz":                       s.ready,
		"/":                                 s.unknown,
	} {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				writeProblem(w, err)
			}
		})
	}
	return m
}

// Serve answers on l until Shutdown or Close, then returns nil.
func (s *Server) Serve(l *Listener) error {
	srv := &http.Server{
		Handler:           l.guard(s.counted()),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return l.Close()
	}
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Address(), err)
	}
	return nil
}

// counted makes Close wait for every call, which http.Server does not.
func (s *Server) counted() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			writeProblem(w, fmt.Errorf("the daemon goes down: %w", mesh.ErrDraining))
			return
		}
		s.wg.Add(1)
		s.mu.Unlock()
		defer s.wg.Done()
		s.mux.ServeHTTP(w, r)
	})
}

// Shutdown takes no new call, ends the streams and waits for the other calls.
// When ctx ends first its error is returned, and Close is left to do.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.stop(func(srv *http.Server) error { return srv.Shutdown(ctx) })
	if err == nil {
		s.wg.Wait()
	}
	return err
}

// Close cuts every call off and waits until it has ended.
func (s *Server) Close() error {
	err := s.stop((*http.Server).Close)
	s.wg.Wait()
	return err
}

func (s *Server) stop(each func(*http.Server) error) error {
	s.mu.Lock()
	s.closed = true
	servers := s.servers
	s.mu.Unlock()
	s.cancel()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, each(srv))
	}
	return errors.Join(errs...)
}

// body reads a request's payload within the server's budget; the bytes count
// against it until release.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (b []byte, release func(), err error) {
	size := r.ContentLength
	if size > mesh.MaxPayload {
		return nil, nil, fmt.Errorf("a payload of %d bytes, at most %d: %w", size, mesh.MaxPayload, mesh.ErrTooLarge)
	}
	if size < 0 {
		size = mesh.MaxPayload
	}
	release = func() { s.bodies.Add(-size) }
	if s.bodies.Add(size) > MaxBodies {
		release()
		return nil, nil, fmt.Errorf("the daemon holds %d MiB of payloads already: %w", MaxBodies>>20, mesh.ErrBusy)
	}
	rc := http.NewResponseController(w)
	if err := rc.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		release()
		return nil, nil, err
	}
	b, err = io.ReadAll(http.MaxBytesReader(w, r.Body, mesh.MaxPayload))
	if err == nil {
		// The deadline must not end the call, which may wait long for its answer.
		err = rc.SetReadDeadline(time.Time{})
	}
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("read the body: %w", err)
	}
	return b, release, nil
}

func (s *Server) unknown(_ http.ResponseWriter, r *http.Request) error {
	return Fail(ErrNotFound, "%s %s is not a call of this API", r.Method, r.URL.Path)
}
