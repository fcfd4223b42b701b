package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Problem is an error as the API sends it (after RFC 9457). On the client's
// side it is an error, and errors.Is finds the sentinel of its code.
type Problem struct {
	Head
	Code     string      `json:"code"`  // "MN-0201", see [Entries]
	Title    string      `json:"title"` // the code in a sentence
	Detail   string      `json:"detail,omitempty"`
	Cause    string      `json:"cause,omitempty"`
	Hint     string      `json:"hint,omitempty"`   // the next command to try
	Status   mesh.Status `json:"status,omitempty"` // of the mesh, not of HTTP
	Exit     int         `json:"exit"`             // what a command line should exit with
	ID       string      `json:"id,omitempty"`     // of the message
	Provider peer.ID     `json:"provider,omitempty"`
}

// NewProblem describes any error. A Problem stays what it is.
func NewProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	e := Lookup(err)
	p := &Problem{
		Head: head, Code: e.Code, Title: e.Title, Detail: err.Error(), Cause: e.Cause, Hint: e.Next,
		Status: e.Status, Exit: e.Exit,
	}
	if s, ok := errors.AsType[*meshnode.SendError](err); ok {
		if s.Status != 0 {
			p.Status = s.Status
		}
		if !s.ID.IsZero() {
			p.ID = s.ID.String()
		}
		p.Provider = s.Provider
	}
	return p
}

// Error is the detail, or the title when there is none.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Unwrap gives the sentinel of the code.
func (p *Problem) Unwrap() error {
	if e, ok := Explain(p.Code); ok {
		return e.Err
	}
	if err := p.Status.Err(); p.Status != 0 && err != nil {
		return err
	}
	return ErrInternal
}

func writeProblem(w http.ResponseWriter, err error) {
	p := NewProblem(err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(Lookup(p).HTTP)
	_ = encode(w, p) // the caller is gone when this fails
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = encode(w, v) // the caller is gone when this fails
}

func encode(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
