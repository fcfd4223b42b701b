package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func (s *Server) status(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Status{head, s.cfg.Node.Status()})
	return nil
}

func (s *Server) peers(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Peers{head, some(s.cfg.Node.Peers())})
	return nil
}

func (s *Server) listRoutes(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Routes{head, some(s.cfg.Node.Routes())})
	return nil
}

func (s *Server) services(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Services{head, some(s.cfg.Node.Services())})
	return nil
}

func (s *Server) groups(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Groups{head, some(s.cfg.Node.Groups())})
	return nil
}

// some makes an empty list "[]" and not "null".
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Server) connect(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "timeout")
	timeout := q.duration("timeout", mesh.DefaultLifetime, mesh.MaxLifetime)
	if q.err != nil {
		return q.err
	}
	body, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	addr := strings.TrimSpace(string(body))
	if _, err := peer.AddrInfoFromString(addr); err != nil {
		return Fail(ErrUsage, "%q is not a multiaddr with the node's ID (…/p2p/12D3KooW…)", addr)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	id, err := s.cfg.Node.Connect(ctx, addr)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Connected{head, id})
	return nil
}

func (s *Server) disconnect(w http.ResponseWriter, r *http.Request) error {
	id, err := peer.Decode(r.PathValue("id"))
	if err != nil {
		return Fail(ErrUsage, "%q is not a peer ID", r.PathValue("id"))
	}
	if err := s.cfg.Node.Disconnect(r.Context(), id); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Done{head, "disconnected"})
	return nil
}

func (s *Server) resolve(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "to", "timeout")
	timeout := q.duration("timeout", mesh.DefaultLifetime, mesh.MaxLifetime)
	if q.err != nil {
		return q.err
	}
	to := q.text("to")
	if _, err := mesh.ParseAddress(to); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	list, err := s.cfg.Node.Resolve(ctx, to)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Providers{head, to, some(list)})
	return nil
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "to", "timeout")
	timeout := q.duration("timeout", mesh.DefaultLifetime, mesh.MaxLifetime)
	if q.err != nil {
		return q.err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	to := q.text("to")
	list, err := s.cfg.Node.Explain(ctx, to)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Candidates{head, to, some(list)})
	return nil
}

// ParseCondition reads "ready", "peers=3" or "service=orders".
func ParseCondition(text string) (Condition, error) {
	what, value, _ := strings.Cut(text, "=")
	switch what {
	case "ready":
		if value == "" {
			return Condition{Ready: true}, nil
		}
	case "peers":
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			return Condition{Peers: n}, nil
		}
	case "service":
		if err := mesh.ValidName("service name", value); err != nil {
			return Condition{}, err
		}
		return Condition{Service: value}, nil
	}
	return Condition{}, Fail(ErrUsage, "condition %q: want ready, peers=N or service=NAME", text)
}

func (c Condition) String() string {
	switch {
	case c.Peers > 0:
		return "peers=" + strconv.Itoa(c.Peers)
	case c.Service != "":
		return "service=" + c.Service
	}
	return "ready"
}

func (s *Server) wait(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "for", "timeout")
	timeout := q.duration("timeout", mesh.DefaultLifetime, mesh.MaxLifetime)
	if q.err != nil {
		return q.err
	}
	c, err := ParseCondition(q.text("for"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := s.cfg.Node.Wait(ctx, c); err != nil {
		return fmt.Errorf("wait for %s: %w", c, err)
	}
	writeJSON(w, http.StatusOK, Done{head, c.String()})
	return nil
}

func (s *Server) drain(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "timeout")
	timeout := q.duration("timeout", mesh.DefaultLifetime, mesh.MaxLifetime)
	if q.err != nil {
		return q.err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	if err := s.cfg.Node.Drain(ctx); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	writeJSON(w, http.StatusOK, Done{head, "drained"})
	return nil
}

func (s *Server) undrain(w http.ResponseWriter, _ *http.Request) error {
	s.cfg.Node.Undrain()
	writeJSON(w, http.StatusOK, Done{head, "undrained"})
	return nil
}

func (s *Server) goDown(w http.ResponseWriter, _ *http.Request) error {
	if s.cfg.Down == nil {
		return fmt.Errorf("this daemon cannot be stopped from here: %w", mesh.ErrDenied)
	}
	s.down.Do(func() { s.wg.Go(s.cfg.Down) })
	writeJSON(w, http.StatusAccepted, Done{head, "going down"})
	return nil
}

func (s *Server) setLog(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "level")
	if q.err != nil {
		return q.err
	}
	if s.cfg.SetLogLevel == nil {
		return fmt.Errorf("log levels cannot be set from here: %w", mesh.ErrDenied)
	}
	part, level, ok := strings.Cut(q.text("level"), "=")
	if !ok {
		part, level = "*", part
	}
	if err := s.cfg.SetLogLevel(part, level); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Done{head, part + "=" + level})
	return nil
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, Done{head, "live"})
	return nil
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	if st := s.cfg.Node.Status(); st.State != "ready" {
		writeJSON(w, http.StatusServiceUnavailable, Done{head, st.State})
		return nil
	}
	writeJSON(w, http.StatusOK, Done{head, "ready"})
	return nil
}

var _ Node = adapter{(*meshnode.Node)(nil)}
