package router

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// follower is a probe that is not sent on, because another one for the same
// address is under way already from here: it gets the same answers. So a crowd
// that looks for one service at the same time costs one search, as the pending
// interests of named data networking do (Jacobson et al., Networking Named
// Content, 2009).
type follower struct {
	in  *port
	seq uint64
	ttl uint8
}

const maxFollowers = 64

// searchKey is what two searches must have in common to be one.
type searchKey struct {
	addr  string
	bound peer.ID
	told  bool // others may name who they know
}

// join lets a probe follow a search that goes at least half as far, or makes
// it the one that others follow. What a follower hears is less than the whole:
// nothing from behind the node that the search came from, and nothing from where
// the TTL did not reach. So it is told that the search was short when that found
// nobody, and its origin asks once more, alone: then no search is followed. The
// same holds when two searches wait for each other in two places.
func (r *Router) join(br *branch, ttl uint8) bool {
	lead := r.searches[br.search]
	if br.search.told && lead != nil && !lead.done && 2*lead.ttl >= ttl && lead.origin != br.origin && len(lead.joined) < maxFollowers {
		lead.joined = append(lead.joined, follower{br.in, br.inSeq, ttl})
		r.stats.Joined++
		return true
	}
	r.lead(br, ttl)
	return false
}

// lead makes a search the one that others may follow.
func (r *Router) lead(br *branch, ttl uint8) {
	br.ttl = ttl
	r.searches[br.search] = br
}

// maxWords is how many providers' words one search passes back.
const maxWords = 64

// news tells whether a provider's word is the first of its kind. Searches
// that follow each other would else pass it round for ever.
func (br *branch) news(provider peer.ID) bool {
	if len(br.named) >= maxWords || slices.Contains(br.named, provider) {
		return false
	}
	br.named = append(br.named, provider)
	return true
}

// told passes a provider's word on to those that follow a search. hops is the
// distance from here.
func (r *Router) told(br *branch, in *port, a mesh.Answer, hops uint8) {
	for _, f := range br.joined {
		if !f.in.closed && f.in != in {
			a.Seq, a.Hops, a.Flags = f.seq, hops, a.Flags|mesh.AnswerMore
			r.answer(f.in, a)
		}
	}
}

// searched ends a search for those that follow it.
func (r *Router) searched(br *branch) {
	if r.searches[br.search] == br {
		delete(r.searches, br.search)
	}
	for _, f := range br.joined {
		if !f.in.closed {
			a := br.verdict()
			a.Seq = f.seq
			if br.found == 0 && (br.in != nil || br.cut && f.ttl > br.ttl) {
				a.Status, a.Flags = mesh.StatusTTL, mesh.AnswerShort
			}
			r.answer(f.in, a)
		}
	}
	br.joined = nil
}
