package ledger

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Key names one delivery: a message of an origin to a service.
type Key struct {
	Service string
	Origin  peer.ID
	ID      mesh.ID
}

// Result is what a handler's run came to.
type Result struct {
	Status      mesh.Status
	Detail      string
	Payload     []byte
	ContentType string
	Headers     map[string]string
	Redelivered bool
}

// Verdict tells what to do with a message.
type Verdict uint8

// The verdicts.
const (
	Begin Verdict = iota + 1 // the first of its key: run the handler, then Finish
	Wait                     // the handler is running: its result will do for this one too
	Again                    // finished before: give the same result
	Busy                     // no room, nothing was entered
)

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Begin:
		return "begin"
	case Wait:
		return "wait"
	case Again:
		return "again"
	case Busy:
		return "busy"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Stats counts what a Ledger holds and has done.
// Begun = Entries + Cleared + Swept, always.
type Stats struct {
	Entries int // remembered now
	Running int // of them begun and not finished
	Results int // of them with a result of more than a status
	Bytes   int // memory of all, as MaxBytes counts it

	Begun    uint64 // verdicts Begin
	Waited   uint64 // verdicts Wait
	Repeated uint64 // verdicts Again
	Refused  uint64 // verdicts Busy
	Cleared  uint64 // entries cleared by a retryable failure
	Swept    uint64 // entries forgotten after expiry and grace
	Dropped  uint64 // results that gave way; their entries stayed
}

// Ledger is the delivery ledger of one node. It is not safe for concurrent use.
type Ledger struct {
	cfg     Config
	index   map[compact]uint32
	entries slab
	scopes  scopes
	due     calendar
	results results
	stats   Stats
}

// compact is a Key with its service and origin replaced by their number.
// There is no pointer in it, and none in an entry: the garbage collector does
// not look into a million of them.
type compact struct {
	id    mesh.ID
	scope uint32
}

// New makes an empty ledger.
func New(cfg Config) *Ledger {
	return &Ledger{
		cfg:     cfg.withDefaults(),
		index:   make(map[compact]uint32),
		scopes:  newScopes(),
		due:     newCalendar(),
		results: newResults(),
	}
}

// Begin enters a verified, unexpired message. The Result is set for Again
// alone; redelivered marks a Begin whose handler may have run before, which a
// ledger in memory never sees. A full ledger answers Busy: what has not
// expired is not forgotten.
func (l *Ledger) Begin(now time.Time, k Key, expires time.Time) (v Verdict, r Result, redelivered bool) {
	scope, known := l.scopes.find(k.Service, k.Origin)
	if known {
		if i, ok := l.index[compact{k.ID, scope}]; ok {
			e := l.entries.at(i)
			if e.flags&done == 0 {
				l.stats.Waited++
				return Wait, Result{}, false
			}
			l.stats.Repeated++
			return Again, l.results.get(i, e), false
		}
	}
	need := entryCost + l.scopes.costOfNew(k.Service, k.Origin)
	if !l.room(need) {
		l.Sweep(now, 64)
		// It may have taken the last entry of this scope.
		need = entryCost + l.scopes.costOfNew(k.Service, k.Origin)
		if !l.room(need) {
			l.stats.Refused++
			return Busy, Result{}, false
		}
	}
	for l.bytes()+need > l.cfg.MaxBytes {
		l.dropOldest()
	}
	i := l.entries.take()
	e := l.entries.at(i)
	*e = entry{id: k.ID, scope: l.scopes.hold(k.Service, k.Origin)}
	l.due.put(&l.entries, i, second(expires.Add(l.cfg.Grace)))
	l.index[compact{e.id, e.scope}] = i
	l.stats.Begun++
	l.stats.Running++
	return Begin, Result{}, false
}

// Finish ends what Begin began. A retryable failure, one that did nothing,
// clears the entry; any other result is kept until expiry and grace. The
// ledger keeps r's payload and headers: nobody may change them afterwards. A
// key that is not running is left alone. The time is for a store that writes
// it down.
func (l *Ledger) Finish(_ time.Time, k Key, r Result, retryable bool) {
	scope, known := l.scopes.find(k.Service, k.Origin)
	i, ok := l.index[compact{k.ID, scope}]
	if !known || !ok {
		return
	}
	e := l.entries.at(i)
	if e.flags&done != 0 {
		return
	}
	if retryable {
		l.remove(i)
		l.stats.Cleared++
		return
	}
	l.stats.Running--
	e.flags, e.status = done, r.Status
	if r.Redelivered {
		e.flags |= rerun
	}
	n := resultCost(&r)
	if n == 0 {
		return
	}
	for l.bytes()+n > l.cfg.MaxBytes && l.dropOldest() {
	}
	if l.bytes()+n > l.cfg.MaxBytes {
		l.giveUp(e, &r)
		return
	}
	l.results.put(i, r, n)
}

// Sweep forgets at most max entries whose message expired more than Grace
// ago, oldest first, and returns how many. It costs nothing when there are
// none, so that it may be called often.
func (l *Ledger) Sweep(now time.Time, max int) int {
	s, n := floorSecond(now), 0
	for n < max {
		i, ok := l.due.first(s)
		if !ok {
			break
		}
		l.remove(i)
		n++
	}
	l.stats.Swept += uint64(n)
	return n
}

// Stats counts.
func (l *Ledger) Stats() Stats {
	s := l.stats
	s.Entries, s.Results, s.Bytes = len(l.index), l.results.len(), l.bytes()
	return s
}

// room reports whether need bytes fit when all results have given way.
func (l *Ledger) room(need int) bool {
	return len(l.index) < l.cfg.MaxEntries && l.bytes()-l.results.bytes+need <= l.cfg.MaxBytes
}

func (l *Ledger) bytes() int {
	return len(l.index)*entryCost + l.scopes.bytes + l.results.bytes
}

// remove takes an entry out of everything that knows it.
func (l *Ledger) remove(i uint32) {
	e := l.entries.at(i)
	if e.flags&done == 0 {
		l.stats.Running--
	}
	l.due.remove(&l.entries, i)
	l.results.remove(i)
	delete(l.index, compact{e.id, e.scope})
	l.scopes.release(e.scope)
	l.entries.give(i)
}

// dropOldest gives up the result that was finished first.
func (l *Ledger) dropOldest() bool {
	s := l.results.first
	if s == nil {
		return false
	}
	l.giveUp(l.entries.at(s.entry), &s.Result)
	l.results.remove(s.entry)
	return true
}

// giveUp keeps of a result what its entry has room for: the status, and
// whether there was a reply to it.
func (l *Ledger) giveUp(e *entry, r *Result) {
	if len(r.Payload) > 0 || len(r.Headers) > 0 {
		e.flags |= lost
	}
	l.stats.Dropped++
}
