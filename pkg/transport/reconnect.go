package transport

import (
	"cmp"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	firstRetry  = 250 * time.Millisecond
	lastRetry   = time.Minute
	rareRetry   = 10 * time.Minute // for peers that are only remembered
	jitter      = 0.2              // each way
	lanMemory   = time.Hour        // after mDNS reported a peer
	yield       = 300 * time.Millisecond
	maxTargets  = 1024
	maxPeerAddr = 16
)

// source says why a peer is wanted.
type source uint8

const (
	fromUser source = 1 << iota // named by the operator: kept at any price
	fromFile                    // linked in an earlier run, or this one
	fromLAN                     // reported by mDNS
)

// plan decides whom to dial and when. It is pure: time and chance come in,
// peers to dial come out.
type plan struct {
	self    peer.ID
	degree  int
	random  func() float64 // in [0, 1)
	targets map[peer.ID]*target
	links   map[peer.ID]time.Time // since when
}

type target struct {
	addrs   []ma.Multiaddr
	source  source
	dialing bool
	barred  bool
	tries   int
	due     time.Time
	found   time.Time // by mDNS, last
}

func newPlan(self peer.ID, degree int, random func() float64) *plan {
	return &plan{self: self, degree: degree, random: random, targets: make(map[peer.ID]*target), links: make(map[peer.ID]time.Time)}
}

// backoff doubles from first to last with every try after the first one, and
// is spread by 20 % each way, so that nodes that lost the same neighbour do
// not come back as one.
func backoff(tries int, first, last time.Duration, random float64) time.Duration {
	d := last
	if tries < 30 {
		d = min(last, first<<(tries-1))
	}
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*random))
}

// add takes in a peer and where it may be. New addresses go first.
func (p *plan) add(now time.Time, id peer.ID, addrs []ma.Multiaddr, why source) {
	if id == p.self {
		return
	}
	t := p.targets[id]
	if t == nil {
		if len(p.targets) >= maxTargets && why != fromUser {
			return
		}
		t = &target{due: now}
		if why == fromLAN {
			t.due = now.Add(p.yield(id))
		}
		p.targets[id] = t
	}
	t.source |= why
	if why == fromLAN {
		t.found = now
	}
	merged := slices.Clone(addrs)
	for _, a := range t.addrs {
		if !ma.Contains(merged, a) {
			merged = append(merged, a)
		}
	}
	t.addrs = merged[:min(len(merged), maxPeerAddr)]
}

// yield lets one of two nodes that found each other dial first: two dials at
// once would make two connections.
func (p *plan) yield(id peer.ID) time.Duration {
	if p.self < id {
		return 0
	}
	return yield
}

// named reports that the operator asked for the peer.
func (p *plan) named(id peer.ID) bool {
	t := p.targets[id]
	return t != nil && t.source&fromUser != 0
}

func (p *plan) up(now time.Time, id peer.ID) {
	p.links[id] = now
	if t := p.targets[id]; t != nil {
		t.dialing = false
	}
}

// down plans the next dial: at once after a link that lasted, later and later
// after links that do not.
func (p *plan) down(now time.Time, id peer.ID) {
	since, ok := p.links[id]
	delete(p.links, id)
	t := p.targets[id]
	if t == nil || !ok {
		return
	}
	if now.Sub(since) >= stableLink {
		t.tries = 0
	}
	p.retry(t, now)
	if t.source == fromLAN {
		t.due = t.due.Add(p.yield(id))
	}
}

func (p *plan) failed(now time.Time, id peer.ID) {
	if t := p.targets[id]; t != nil && t.dialing {
		t.dialing = false
		p.retry(t, now)
	}
}

func (p *plan) retry(t *target, now time.Time) {
	t.tries++
	last := lastRetry
	if t.source == fromFile {
		last = rareRetry
	}
	if due := now.Add(backoff(t.tries, firstRetry, last, p.random())); due.After(t.due) {
		t.due = due
	}
}

// refused keeps from dialling before until.
func (p *plan) refused(id peer.ID, until time.Time) {
	if t := p.targets[id]; t != nil && until.After(t.due) {
		t.due = until
	}
}

// bar keeps from dialling until allow.
func (p *plan) bar(id peer.ID) {
	if t := p.targets[id]; t != nil {
		t.barred = true
	}
}

func (p *plan) allow(now time.Time, id peer.ID) {
	if t := p.targets[id]; t != nil {
		t.barred, t.tries, t.due = false, 0, now
	}
}

// next gives at most free peers to dial now, those named by the operator
// first, and the time to ask again (zero: when something changes). Peers that
// were only discovered are not dialled while there are links enough.
func (p *plan) next(now time.Time, free int) ([]peer.AddrInfo, time.Time) {
	var due []peer.ID
	var again time.Time
	room := p.degree - len(p.links)
	for id, t := range p.targets {
		_, up := p.links[id]
		if t.source == fromLAN && !up && !t.dialing && now.Sub(t.found) > lanMemory {
			delete(p.targets, id)
			continue
		}
		if t.dialing && t.source&fromUser == 0 {
			room--
		}
		switch {
		case up || t.dialing || t.barred || len(t.addrs) == 0:
		case t.due.After(now):
			if again.IsZero() || t.due.Before(again) {
				again = t.due
			}
		default:
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b peer.ID) int {
		x, y := p.targets[a], p.targets[b]
		return cmp.Or(
			cmp.Compare(y.source&fromUser, x.source&fromUser),
			x.due.Compare(y.due),
			cmp.Compare(a, b),
		)
	})
	var out []peer.AddrInfo
	for _, id := range due {
		t := p.targets[id]
		if len(out) == free {
			break
		}
		if t.source&fromUser == 0 {
			if room <= 0 {
				break
			}
			room--
		}
		t.dialing = true
		out = append(out, peer.AddrInfo{ID: id, Addrs: t.addrs})
	}
	return out, again
}
