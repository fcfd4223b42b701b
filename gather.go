package meshnode

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
)

// ErrPartial means that fewer providers answered well than were wanted.
var ErrPartial = servicerouting.ErrPartial

// Want says how many providers Gather asks, and how many good answers it
// waits for.
type Want struct {
	// N different providers are asked, each chosen like any other, at most 64. 0: every
	// provider within the TTL.
	N int
	// Quorum is how many good answers are enough. 0: all N; with N = 0, whoever
	// answers.
	Quorum int
}

// Gathered is what several providers answered.
type Gathered struct {
	Replies []Reply   // the good answers, in the order they came
	Failed  []Failure // those that refused, failed, or said nothing in time
	Waiting []peer.ID // asked, and not waited for when the quorum was there
	Missing int       // providers wanted and not found
}

// Failure is one provider's bad answer.
type Failure struct {
	Provider peer.ID
	Err      error
}

// Gather asks several providers and gives what they answered. A provider that
// refuses before it did anything is replaced by another, while there is one.
// With fewer good answers than wanted the error is ErrPartial, and what came is
// returned with it; when nobody was found it is ErrNoProvider.
func (n *Node) Gather(ctx context.Context, to string, payload []byte, want Want, opts ...SendOption) (Gathered, error) {
	o, err := n.outgoing(to, payload, true, opts)
	if err == nil && o.To.Kind != mesh.KindService {
		err = fmt.Errorf("%s is not a service: %w", to, mesh.ErrMalformed)
	}
	if err != nil {
		return Gathered{}, sendError("gather", to, servicerouting.Result{}, err)
	}
	g, err := n.fw.Gather(ctx, o, want.N, want.Quorum)
	out := Gathered{Waiting: g.Waiting, Missing: g.Missing}
	for _, r := range g.Good {
		out.Replies = append(out.Replies, reply(r))
	}
	for _, r := range g.Bad {
		out.Failed = append(out.Failed, Failure{r.Provider, sendError("gather", to, r, r.Status.Err())})
	}
	return out, sendError("gather", to, servicerouting.Result{}, n.explain(o.To, err))
}
