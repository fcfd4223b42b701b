package router

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// A node that is gone is looked for by everybody who waits for its word. To
// flood the mesh for each of them, at each retry, would cost more than all that
// is sent. After a search in vain there is none for a while, longer each time,
// and a wide one only every half minute; in between, near by: whoever is its
// neighbour answers, or has a way to it and its record.
const (
	lostWait = time.Second // doubled up to Config.RetryMax
	lostWide = 30 * time.Second
	nearby   = 4 // the TTL of a ring that is not wide
	maxLost  = 4096
)

// lost is a node that was not found.
type lost struct {
	until time.Time // no search before
	wide  time.Time // no wide search before
	wait  time.Duration
	ttl   uint8 // of the search in vain
}

// mayLookFor tells whether a search for a node may be wide, and whether it must
// wait. One for whoever serves an address may always.
func (r *Router) mayLookFor(now time.Time, node peer.ID, ttl uint8) (wide, wait bool) {
	l, ok := r.lost[node]
	return !ok || !now.Before(l.wide), ok && ttl <= l.ttl && now.Before(l.until)
}

// notFound is called when a search ended in vain.
func (r *Router) notFound(now time.Time, pr *probe) {
	node := pr.key.bound
	if node == "" {
		return
	}
	if len(r.lost) >= maxLost {
		clear(r.lost)
	}
	l := r.lost[node]
	l.wait = max(lostWait, min(2*l.wait, r.cfg.RetryMax))
	if pr.addr.Kind == mesh.KindNode { // "no route" is an answer, and remembered no longer than "no provider"
		l.wait = r.cfg.NegativeTTL
	}
	l.until, l.ttl = now.Add(l.wait), pr.key.ttl
	if last := pr.rings[len(pr.rings)-1]; last > nearby {
		l.wide = now.Add(lostWide)
	}
	r.lost[node] = l
}
