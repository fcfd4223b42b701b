package servicerouting

import (
	"errors"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting/link"
	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// perform carries out what the router decided. b holds the frames that the
// actions may name.
func (f *Forwarder) perform(b *batch, acts []router.Action) {
	var n *neighbour
	for i := range acts {
		a := &acts[i]
		if a.Port != 0 && (n == nil || n.port != a.Port) {
			if n != nil {
				n.flush()
			}
			n = f.neighbour(a.Port)
		}
		switch a.Op {
		case router.OpSend:
			f.send(b, a, n)
		case router.OpResend:
			f.resend(a, n)
		case router.OpAnswer:
			if n != nil {
				n.link.Answer(&a.Answer)
			}
		case router.OpVerify:
			f.verify(b, a)
		case router.OpDeliver:
			f.deliver(b, a)
		case router.OpCheck:
			f.check(a)
		case router.OpStray:
			f.stray(a.Answer.Body)
		case router.OpProbe:
			f.probe(a)
		case router.OpNews:
			f.news(a)
		case router.OpGraft:
			if n != nil {
				n.link.Graft(a.Service)
			}
		}
	}
	if n != nil {
		n.flush()
	}
}

// flush lets what was queued go, and tells the heartbeat what is awaited.
func (n *neighbour) flush() {
	n.tellInFlight()
	n.link.Flush()
}

// send queues a frame on a link: one of the batch, or one of this node.
func (f *Forwarder) send(b *batch, a *router.Action, n *neighbour) {
	out, local := a.Tag.(*outgoing)
	if n == nil {
		f.refused(a, mesh.StatusNotSent)
		return
	}
	item := link.Item{Seq: a.Hop.Seq, Local: local}
	var rest []byte
	if local {
		rest = out.rest
	} else {
		rest = b.rest(a.Ref)
		if a.Hop.Flags&(mesh.FlagFlood|mesh.FlagProbe) == 0 {
			item.From, item.Size = b.from.link, b.in[a.Ref].Size
		}
	}
	var at link.Ref
	var err error
	flood := a.Hop.Flags&mesh.FlagFlood != 0
	if (flood || !local) && f.overBudget(len(rest), flood) {
		err = mesh.ErrBusy
	} else {
		at, err = n.link.Send(int(a.Lane), &a.Hop, rest, item)
	}
	switch {
	case err == nil && local:
		f.sent(*a)
	case err == nil:
		if item.From != nil {
			b.used[a.Ref] = true
		}
		if a.Hop.Seq != 0 {
			n.remember(a.Hop.Seq, at)
		}
	case local && errors.Is(err, mesh.ErrBusy) && !out.noWait && (a.Pub == nil || a.Pub.Mode == mesh.ModeOne) && n.hold(*a, out, f.share()):
	case errors.Is(err, mesh.ErrBusy):
		f.refused(a, mesh.StatusBusy)
	default:
		f.refused(a, mesh.StatusNotSent)
	}
}

// sent tells the router that a link took a local frame.
func (f *Forwarder) sent(a router.Action) {
	if a.Pub != nil && a.Pub.Class == mesh.ClassFire && a.Pub.Mode == mesh.ModeOne {
		f.decide(nil, func(r *router.Router, _ time.Time) { r.Sent(a.Pub) })
	}
}

func (f *Forwarder) refused(a *router.Action, st mesh.Status) {
	if a.Hop.Seq == 0 && a.Pub == nil {
		f.counters.dropped.Add(1)
		return
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Refused(now, a.Port, a.Hop.Seq, a.Pub, st) })
}

// resend sends by another link what was sent before, if it is still kept.
func (f *Forwarder) resend(a *router.Action, n *neighbour) {
	old := f.neighbour(a.OldPort)
	if n == nil || old == nil {
		f.refused(a, mesh.StatusNotSent)
		return
	}
	rest, ok := old.retained(a.OldSeq, nil)
	if !ok {
		f.refused(a, mesh.StatusNotSent)
		return
	}
	at, err := n.link.Send(int(a.Lane), &a.Hop, rest, link.Item{Seq: a.Hop.Seq})
	if err != nil {
		f.refused(a, mesh.StatusNotSent)
		return
	}
	n.remember(a.Hop.Seq, at)
}

// verify checks a flood or a probe before it goes on.
func (f *Forwarder) verify(b *batch, a *router.Action) {
	i := slices.IndexFunc(b.frames, func(fr router.Frame) bool { return fr.Ref == a.Ref })
	fr := &b.frames[i]
	envelope, proof, err := mesh.SplitFrame(b.in[a.Ref].Bytes)
	if err == nil {
		err = mesh.VerifyEnvelope(peer.ID(fr.View.Origin), envelope, proof)
	}
	if err != nil {
		f.counters.badProof.Add(1)
		if n := f.neighbour(a.Port); n != nil && fr.Hop.Seq != 0 {
			n.link.Answer(&mesh.Answer{Seq: fr.Hop.Seq, Status: statusOf(err)})
		}
		return
	}
	f.decide(b, func(r *router.Router, now time.Time) { r.Verified(now, a.Port, fr) })
}

// check opens the receipt in an answer to a publication of this node.
func (f *Forwarder) check(a *router.Action) {
	rc, err := mesh.OpenReceipt(a.Answer.Body)
	p := a.Pub
	if err == nil && (rc.ID != p.ID || rc.Origin != p.Origin) {
		err = mesh.ErrBadProof
	}
	c := router.Checked{Status: mesh.StatusBadProof}
	if err != nil {
		f.counters.badProof.Add(1)
		f.cfg.Logger.Debug("receipt refused", "err", err)
		if p.Mode == mesh.ModeOne {
			return // keep waiting for a true one
		}
	} else {
		c = checked(rc)
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Checked(now, a.Port, p, a.Answer, c) })
}

func checked(rc *mesh.Receipt) router.Checked {
	return router.Checked{Status: rc.Status, Provider: rc.Provider, Load: rc.Load, Attributes: rc.Attributes, Detail: rc.Detail, Body: rc}
}

// stray sends a receipt, whose entry in the tables is gone, to its origin as
// a message.
func (f *Forwarder) stray(body []byte) {
	rc, err := mesh.OpenReceipt(body)
	if err != nil {
		f.counters.badProof.Add(1)
		return
	}
	if rc.Origin == f.self {
		f.decide(nil, func(r *router.Router, now time.Time) { r.Stray(now, rc.ID, 0, 0, checked(rc)) })
		return
	}
	now := f.cfg.Now()
	out, err := f.seal(&mesh.Envelope{
		ID: mesh.NewID(), Origin: f.self, Network: f.cfg.Network, Address: mesh.Node(rc.Origin), Mode: mesh.ModeOne,
		Class: mesh.ClassFire, Type: mesh.TypeReceipt, Correlation: rc.ID, Created: now,
		Expires: now.Add(mesh.DefaultLifetime), TTL: mesh.MaxTTL, Payload: slices.Clone(body),
	})
	if err != nil {
		return
	}
	f.decide(nil, func(r *router.Router, now time.Time) { r.Send(now, rc.Origin, out.key, out) })
}

// probe makes the envelope of a probe.
func (f *Forwarder) probe(a *router.Action) {
	const lifetime = 2 * time.Second
	now := f.cfg.Now()
	out, err := f.seal(&mesh.Envelope{
		ID: mesh.NewID(), Origin: f.self, Network: f.cfg.Network, Address: a.Address, Mode: mesh.ModeAll,
		Class: mesh.ClassFire, Type: mesh.TypeProbe, Created: now, Expires: now.Add(lifetime), TTL: a.TTL,
	})
	if err != nil {
		f.cfg.Logger.Error("probe", "err", err)
		return
	}
	f.decide(nil, func(r *router.Router, now time.Time) {
		r.SendProbe(now, a.Probe, out.key, now.Add(lifetime), out)
	})
}
