package servicerouting

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// batch is what came from a link by one read, and scratch that is used again.
type batch struct {
	from   *neighbour
	frames []router.Frame
	in     []link.Frame
	used   []bool // the outgoing link gives the credit back
	acts   []router.Action
	backs  []router.Back
	sum    [16]byte
}

// rest is what follows the hop header of frame ref.
func (b *batch) rest(ref int) []byte { return b.in[ref].Bytes[mesh.HopHeaderLen:] }

// Frames is called by the link's reader. It is the road of every frame: parse,
// digest, one look at the router for the whole batch, then act.
func (n *neighbour) Frames(_ *link.Link, in []link.Frame) {
	f, b := n.f, &n.batch
	b.in, b.frames, b.used = in, b.frames[:0], b.used[:0]
	var frame router.Frame
	for i := range in {
		b.used = append(b.used, false)
		if err := f.parse(in[i].Bytes, b, &frame); err != nil {
			f.counters.malformed.Add(1)
			if hop, bad := mesh.ParseHop(in[i].Bytes); bad == nil && hop.Seq != 0 {
				n.link.Answer(&mesh.Answer{Seq: hop.Seq, Status: statusOf(err)})
			}
			continue
		}
		frame.Ref = i
		b.frames = append(b.frames, frame)
	}
	f.mu.Lock()
	now := f.cfg.Now()
	for i := range b.frames {
		f.r.Frame(now, n.port, &b.frames[i])
	}
	acts := f.r.Take(b.acts)
	f.armLocked()
	f.mu.Unlock()
	f.perform(b, acts)
	b.acts = acts
	done := 0
	for i := range in {
		if !b.used[i] {
			done += in[i].Size
		}
	}
	n.link.Release(done)
	n.flush()
}

// parse reads what the router needs of a frame.
func (f *Forwarder) parse(b []byte, s *batch, out *router.Frame) error {
	hop, err := mesh.ParseHop(b)
	if err != nil {
		return err
	}
	envelope, _, err := mesh.SplitFrame(b)
	if err != nil {
		return err
	}
	view, err := mesh.ParseView(envelope)
	if err != nil {
		return err
	}
	out.Hop, out.View = hop, view
	out.Key = f.digest.sum(b[mesh.HopHeaderLen:], s.sum[:])
	return nil
}

// Answers is called by the link's reader.
func (n *neighbour) Answers(_ *link.Link, in []mesh.Answer) {
	f, b := n.f, &n.batch
	b.backs = b.backs[:0]
	for i := range in {
		back := router.Back{Answer: in[i]}
		if in[i].Status == mesh.StatusAble {
			rec, load, err := mesh.OpenProbeAnswer(in[i].Body)
			if err != nil || rec.Network != f.cfg.Network || rec.Expires.Before(f.cfg.Now()) {
				f.counters.badProof.Add(1)
				continue
			}
			back.Record, back.Load = rec, load
		}
		b.backs = append(b.backs, back)
	}
	f.mu.Lock()
	now := f.cfg.Now()
	for i := range b.backs {
		f.r.Answer(now, n.port, b.backs[i])
	}
	acts := f.r.Take(b.acts)
	f.armLocked()
	f.mu.Unlock()
	b.in = nil
	f.perform(b, acts)
	b.acts = acts
	n.tellInFlight()
}

// tellInFlight tells the link's heartbeat how many answers are awaited by it.
func (n *neighbour) tellInFlight() {
	n.f.mu.Lock()
	now := n.f.r.InFlight(n.port)
	n.f.mu.Unlock()
	n.mu.Lock()
	delta := now - n.frames
	n.frames = now
	n.mu.Unlock()
	if delta != 0 {
		n.link.InFlight(delta)
	}
}

// Graft is called by the link's reader.
func (n *neighbour) Graft(_ *link.Link, service string) {
	n.f.decide(nil, func(r *router.Router, now time.Time) { r.Graft(now, n.port, service) })
}

// Withdraw is called by the link's reader.
func (n *neighbour) Withdraw(_ *link.Link, service string) {
	n.f.decide(nil, func(r *router.Router, now time.Time) {
		if service == "" {
			r.Bye(now, n.port)
			return
		}
		r.Withdraw(n.peer, service)
	})
}

// Bye is called by the link's reader.
func (n *neighbour) Bye(*link.Link) {
	n.f.decide(nil, func(r *router.Router, now time.Time) { r.Bye(now, n.port) })
}

// Unsent is called by the link for frames that will not be sent.
func (n *neighbour) Unsent(_ *link.Link, items []link.Item, why mesh.Status) {
	n.f.decide(nil, func(r *router.Router, now time.Time) {
		for _, it := range items {
			if it.Seq == 0 {
				n.f.counters.dropped.Add(1)
				continue
			}
			r.Refused(now, n.port, it.Seq, nil, why)
		}
	})
}

// Suspect is called by the link's heartbeat.
func (n *neighbour) Suspect(_ *link.Link, suspect bool) {
	n.f.decide(nil, func(r *router.Router, now time.Time) { r.Suspect(now, n.port, suspect) })
}
