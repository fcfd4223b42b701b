package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestEveryCodeIsWhole(t *testing.T) {
	codes := map[string]bool{}
	for _, e := range Entries() {
		if codes[e.Code] {
			t.Errorf("%s is given twice", e.Code)
		}
		codes[e.Code] = true
		if !regexp.MustCompile(`^MN-0\d{3}$`).MatchString(e.Code) || e.Err == nil || e.HTTP < 400 || e.Title == "" || e.Cause == "" || e.Next == "" || e.Exit == 0 {
			t.Errorf("%+v", e)
		}
		if got := Lookup(fmt.Errorf("send: %w", e.Err)); got.Code != e.Code {
			t.Errorf("%v finds %s, want %s", e.Err, got.Code, e.Code)
		}
	}
}

func TestEveryMeshStatusHasACode(t *testing.T) {
	for s := mesh.Status(200); s < 600; s++ {
		if s.String() == fmt.Sprintf("status %d", s) {
			continue
		}
		e, ok := Explain(fmt.Sprintf("MN-0%d", s))
		if !ok || e.Status != s || !errors.Is(s.Err(), e.Err) {
			t.Errorf("%d %v: %+v", s, s, e)
		}
	}
}

func TestProblemsKeepTheirSentinelOverTheWire(t *testing.T) {
	for _, e := range Entries() {
		b, err := json.Marshal(NewProblem(fmt.Errorf("publish orders: %w", e.Err)))
		if err != nil {
			t.Fatal(err)
		}
		p := new(Problem)
		if err := json.Unmarshal(b, p); err != nil {
			t.Fatal(err)
		}
		if wrapped := fmt.Errorf("at the client: %w", p); !errors.Is(wrapped, e.Err) || Lookup(wrapped).Exit != e.Exit {
			t.Errorf("%s: %v", e.Code, wrapped)
		}
	}
}

// sendFailure has a text of its own: only a node can make a whole SendError.
type sendFailure struct{ *meshnode.SendError }

func (f sendFailure) Error() string { return "publish: busy" }
func (f sendFailure) Unwrap() error { return f.SendError }

func TestProblemOfASendError(t *testing.T) {
	id := mesh.NewID()
	p := NewProblem(sendFailure{&meshnode.SendError{ID: id, Provider: somebody, Status: mesh.StatusBusy, Detail: "full"}})
	if p.ID != id.String() || p.Provider != somebody || p.Status != mesh.StatusBusy {
		t.Errorf("%+v", p)
	}
}

func TestLookupOfForeignErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code string
	}{
		{errors.New("x"), "MN-0100"},
		{context.DeadlineExceeded, "MN-0501"},
		{context.Canceled, "MN-0112"},
		{&mesh.AddressError{}, "MN-0400"},
		{meshnode.ErrClosed, "MN-0203"},
		{meshnode.ErrPartial, "MN-0111"},
	} {
		if got := Lookup(tc.err).Code; got != tc.code {
			t.Errorf("%v: %s, want %s", tc.err, got, tc.code)
		}
	}
}
