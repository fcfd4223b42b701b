package router

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// maxNamed is how many providers a node names in answer to one probe, so that
// whoever asks has a choice.
const maxNamed = 3

// name answers a probe with the records of providers that this node knows and
// has a way to, within the probe's reach: the search need not go on behind it.
// It gives how many it named.
func (r *Router) name(now time.Time, br *branch, f *Frame, bound peer.ID) int {
	room := int(f.Hop.Reach) - int(f.Hop.Hops) - 1 // hops left from here
	if room < 1 {
		return 0
	}
	list := r.providers[serviceOf(br.addr)]
	if len(list) == 0 {
		return 0
	}
	addr, err := mesh.ParseAddress(br.addr)
	if err != nil || addr.Kind != mesh.KindService || addr.Network != "" {
		return 0
	}
	fresh := now.UnixNano() - int64(r.cfg.OfferFor)
	var best [maxNamed]struct {
		p    *provider
		hops uint8
	}
	n := 0
	for _, p := range list {
		if bound != "" && p.peer != bound || p.answer == nil || p.outdated || !p.answers.After(now.Add(mesh.ClockTolerance)) || p.peer == br.origin || p.out(now) || now.After(p.expires) || !addr.Selector.Match(p.attrs) {
			continue
		}
		w := r.best(now, p.peer, uint8(room), br.in, nil)
		if w == nil || w.known == heard || w.port.suspect || w.port.leaving || w.answered < fresh && w.port.peer != p.peer {
			continue
		}
		i := n
		for i > 0 && best[i-1].hops > w.hops {
			i--
		}
		if i == maxNamed {
			continue
		}
		n = min(n+1, maxNamed)
		copy(best[i+1:], best[i:])
		best[i].p, best[i].hops = p, w.hops
	}
	for _, b := range best[:n] {
		r.answer(br.in, mesh.Answer{Seq: br.inSeq, Status: mesh.StatusAble, Hops: b.hops, Flags: mesh.AnswerMore, Body: b.p.answer})
		r.stats.Named++
	}
	br.found += n
	return n
}
