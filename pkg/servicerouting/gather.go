package servicerouting

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// MaxGather is the largest number of providers that one Gather asks by name.
const MaxGather = 64

// ErrPartial means that fewer providers answered well than were wanted.
var ErrPartial = errors.New("only a part of the answers wanted came")

// Gathered is what several providers answered.
type Gathered struct {
	Good    []Result  // in the order they came
	Bad     []Result  // refused, failed, or said nothing in time; Provider tells who
	Waiting []peer.ID // asked, and not waited for when the quorum was there
	Missing int       // providers wanted and not found
}

// Gather sends to n different providers, each chosen like any other, with an ID
// of its own, or for n = 0 to every provider within the TTL. It returns once
// quorum of them have answered well, or all have answered; a quorum of 0 means
// all n (for n = 0: whoever answers). A provider that refuses before it did
// anything is replaced by another while there is one. Fewer good answers than
// the quorum are ErrPartial, and what came is returned with it; nobody at all is
// ErrNoProvider.
func (f *Forwarder) Gather(ctx context.Context, m Outgoing, n, quorum int) (Gathered, error) {
	switch {
	case n < 0 || n > MaxGather:
		return Gathered{}, fmt.Errorf("%d providers are wanted: need 0 to %d: %w", n, MaxGather, mesh.ErrMalformed)
	case quorum < 0 || n > 0 && quorum > n:
		return Gathered{}, fmt.Errorf("a quorum of %d among %d: need 0 to %d: %w", quorum, n, n, mesh.ErrMalformed)
	case m.Class == mesh.ClassFire:
		return Gathered{}, fmt.Errorf("nobody answers a message of class fire: %w", mesh.ErrMalformed)
	case !m.ID.IsZero() && n > 1:
		return Gathered{}, fmt.Errorf("one ID for %d messages: %w", n, mesh.ErrMalformed)
	case n == 0:
		return f.gatherAll(ctx, m, quorum)
	}
	if quorum == 0 {
		quorum = n
	}
	return f.gatherSome(ctx, m, n, quorum)
}

// gathered is the end of one of the messages.
type gathered struct {
	res Result
	err error
}

func (f *Forwarder) gatherSome(ctx context.Context, m Outgoing, n, quorum int) (Gathered, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	among := new(router.Among)
	ends := make(chan gathered, n)
	m.Mode = mesh.ModeOne
	for range n {
		go func() { // ends with ctx, and is waited for below
			res, err := f.publishAmong(ctx, m, n, among)
			ends <- gathered{res, err}
		}()
	}
	var g Gathered
	var last error
	enough := false
	for range n {
		e := <-ends
		switch {
		case e.err == nil:
			g.Good = append(g.Good, e.res)
		case enough && errors.Is(e.err, context.Canceled):
			if e.res.Provider != "" {
				g.Waiting = append(g.Waiting, e.res.Provider)
			}
		case errors.Is(e.err, mesh.ErrNoProvider):
			g.Missing++
			last = e.err
		default:
			e.res.Status = settled(e.res.Status, e.err)
			g.Bad = append(g.Bad, e.res)
			last = e.err
		}
		if !enough && len(g.Good) >= quorum {
			enough = true
			cancel()
		}
	}
	return g, g.verdict(n, quorum, last)
}

// publishAmong sends one of several messages that go to different providers.
func (f *Forwarder) publishAmong(ctx context.Context, m Outgoing, n int, among *router.Among) (Result, error) {
	if err := f.admit(ctx, m.NoWait); err != nil {
		return Result{}, err
	}
	out, p, err := f.prepare(ctx, &m)
	if err != nil {
		return Result{}, err
	}
	p.Among, p.Need = among, n
	return f.await(ctx, out, p)
}

func (f *Forwarder) gatherAll(ctx context.Context, m Outgoing, quorum int) (Gathered, error) {
	var g Gathered
	err := f.PublishAll(ctx, m, func(r Result) bool {
		if r.Status == mesh.StatusOK {
			g.Good = append(g.Good, r)
		} else {
			g.Bad = append(g.Bad, r)
		}
		return quorum == 0 || len(g.Good) < quorum
	})
	if err != nil && len(g.Good) == 0 && len(g.Bad) == 0 {
		return g, err
	}
	if verdict := g.verdict(len(g.Good)+len(g.Bad), max(quorum, 1), err); verdict != nil {
		return g, verdict
	}
	if quorum > 0 { // it is there, whoever else did not answer in time
		return g, nil
	}
	return g, err
}

// verdict is the error for what was gathered.
func (g *Gathered) verdict(asked, quorum int, last error) error {
	switch {
	case len(g.Good) >= quorum:
		return nil
	case len(g.Good)+len(g.Bad) == 0 && last != nil:
		return last
	}
	return fmt.Errorf("%d of %d answered well, %d were wanted: %w", len(g.Good), asked, quorum, ErrPartial)
}

// settled gives the status of a result that ended with an error and has none.
func settled(st mesh.Status, err error) mesh.Status {
	if st == 0 && errors.Is(err, mesh.ErrTimeout) {
		return mesh.StatusTimeout
	}
	return st
}
