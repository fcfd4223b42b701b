package api

import "time"

const (
	// seenFor is the lifetime of a message and the clock tolerance twice.
	seenFor = 14 * time.Minute
	seenMax = 1 << 16
)

// seen remembers message ids for seenFor, the newest seenMax of them.
type seen struct {
	at    map[string]time.Time
	order []string // a ring, oldest at next once it is full
	next  int
}

// first reports that the id is new, and remembers it. Ids without a name are
// always new.
func (s *seen) first(now time.Time, id string) bool {
	if id == "" {
		return true
	}
	if t, ok := s.at[id]; ok && now.Sub(t) < seenFor {
		return false
	}
	if s.at == nil {
		s.at = make(map[string]time.Time)
	}
	if _, again := s.at[id]; !again {
		if len(s.order) < seenMax {
			s.order = append(s.order, id)
		} else {
			delete(s.at, s.order[s.next])
			s.order[s.next] = id
			s.next = (s.next + 1) % seenMax
		}
	}
	s.at[id] = now
	return true
}
