package ledger

import "github.com/meshnode/meshnode/pkg/mesh"

// results holds what a result has beside its status, in the order of
// finishing. Most results are a bare status and need nothing here.
type results struct {
	byEntry     map[uint32]*stored
	first, last *stored
	bytes       int
}

type stored struct {
	Result
	entry      uint32
	cost       int
	prev, next *stored
}

func newResults() results { return results{byEntry: make(map[uint32]*stored)} }

// resultCost is the memory of a result: 0 for a bare status, otherwise its
// texts, 32 bytes per header for the map, and 256 for the rest.
func resultCost(r *Result) int {
	n := len(r.Detail) + cap(r.Payload) + len(r.ContentType)
	for k, v := range r.Headers {
		n += 32 + len(k) + len(v)
	}
	if n > 0 {
		n += 256
	}
	return n
}

func (rs *results) len() int { return len(rs.byEntry) }

// get is the result of entry i, as far as it is held. OK without its reply
// would be half the truth: the message was handled, what came of it is unknown.
func (rs *results) get(i uint32, e *entry) Result {
	if s, ok := rs.byEntry[i]; ok {
		return s.Result
	}
	r := Result{Status: e.status, Redelivered: e.flags&rerun != 0}
	if e.flags&lost != 0 {
		r.Status, r.Detail = mesh.StatusUnknown, "the message was handled, its reply is no longer held"
	}
	return r
}

func (rs *results) put(i uint32, r Result, cost int) {
	s := &stored{Result: r, entry: i, cost: cost, prev: rs.last}
	if rs.last != nil {
		rs.last.next = s
	} else {
		rs.first = s
	}
	rs.last = s
	rs.byEntry[i] = s
	rs.bytes += cost
}

func (rs *results) remove(i uint32) {
	s, ok := rs.byEntry[i]
	if !ok {
		return
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		rs.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		rs.last = s.prev
	}
	delete(rs.byEntry, i)
	rs.bytes -= s.cost
}
