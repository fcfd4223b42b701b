package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// Gathered is what several providers answered. Error is set when fewer
// answered well than were wanted; the rest is what came until then.
type Gathered struct {
	Head
	Replies []Reply   `json:"replies"` // the good answers, in the order they came
	Failed  []Failure `json:"failed"`  // refused, failed, or said nothing in time
	Waiting []peer.ID `json:"waiting"` // asked, and not waited for when the quorum was there
	Missing int       `json:"missing"` // wanted and not found
	Error   *Problem  `json:"error,omitempty"`
}

// Failure is one provider's bad answer.
type Failure struct {
	Provider peer.ID  `json:"provider"`
	Problem  *Problem `json:"problem"`
}

func makeGathered(id mesh.ID, g meshnode.Gathered, err error) Gathered {
	out := Gathered{
		Head: head, Replies: make([]Reply, 0, len(g.Replies)), Failed: make([]Failure, 0, len(g.Failed)),
		Waiting: some(g.Waiting), Missing: g.Missing,
	}
	for _, r := range g.Replies {
		out.Replies = append(out.Replies, makeReply(id, r))
	}
	for _, f := range g.Failed {
		out.Failed = append(out.Failed, makeFailure(f))
	}
	if err != nil {
		out.Error = NewProblem(err)
	}
	return out
}

// makeFailure leaves out of the detail what stands beside it: who was asked,
// and for what.
func makeFailure(f meshnode.Failure) Failure {
	p := NewProblem(f.Err)
	if s, ok := errors.AsType[*meshnode.SendError](f.Err); ok && s.Unwrap() != nil {
		p.Detail = s.Unwrap().Error()
		if s.Detail != "" {
			p.Detail += ": " + s.Detail
		}
	}
	return Failure{f.Provider, p}
}

// want reads how many providers are to answer; both are 0 when the call does
// not say.
func (q *query) want(all bool) meshnode.Want {
	w := meshnode.Want{N: q.number("n", 1, MaxGather), Quorum: q.number("quorum", 1, MaxGather)}
	switch {
	case all && w.N > 0:
		q.fail("n", q.text("n"), "all asks everybody: give one of the two")
	case !all && w.N == 0 && w.Quorum > 0:
		q.fail("quorum", q.text("quorum"), "say of whom: give n, or all")
	case w.N > 0 && w.Quorum > w.N:
		q.fail("quorum", q.text("quorum"), fmt.Sprintf("want a number from 1 to the %d of n", w.N))
	}
	return w
}

// gather gives the answers of several providers as one object.
func (s *Server) gather(ctx context.Context, w http.ResponseWriter, to string, body []byte, want meshnode.Want, o Send) error {
	g, err := s.cfg.Node.Gather(ctx, to, body, want, o)
	if err != nil && len(g.Replies) == 0 && len(g.Failed) == 0 {
		return err
	}
	writeJSON(w, http.StatusOK, makeGathered(o.ID, g, err))
	return nil
}

// Gather asks several providers; see meshnode.Node.Gather. With fewer good
// answers than wanted the error is meshnode.ErrPartial, also ErrPartly, and
// what came is returned with it. Each of N messages has an ID of its own: o.ID
// must be zero when N is above 1. A Want of N = 0 needs a Quorum, up to
// MaxGather; RequestAll asks everybody without one.
func (c *Client) Gather(ctx context.Context, to string, body []byte, want meshnode.Want, o Send) (Gathered, error) {
	if want.N == 0 && want.Quorum == 0 {
		return Gathered{}, Fail(ErrUsage, "neither a number of providers nor a quorum is given")
	}
	in, err := sendCall(ctx, servicePath(to, "requests"), body, o)
	if err != nil {
		return Gathered{}, err
	}
	in.query.Set("all", "1")
	if want.N != 0 {
		in.query.Del("all")
		in.query.Set("n", fmt.Sprint(want.N))
	}
	if want.Quorum != 0 {
		in.query.Set("quorum", fmt.Sprint(want.Quorum))
	}
	in.most = maxGathered
	var out Gathered
	if err := c.object(ctx, in, &out); err != nil {
		return Gathered{}, err
	}
	if out.Error != nil {
		return out, out.Error
	}
	return out, nil
}
