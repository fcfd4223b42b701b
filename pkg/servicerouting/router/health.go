package router

import "time"

// health sets a provider aside that fails again and again, and takes it back:
// the outlier detection of Envoy, as seen by one origin.
type health struct {
	fails   uint8     // in a row
	ejected uint8     // times, until ejectMax passes without a failure
	until   time.Time // set aside until then
}

const (
	ejectAfter = 5                // failures in a row
	ejectFor   = 10 * time.Second // the first time; twice as long the second
	ejectMax   = 5 * time.Minute
	slowStart  = 10 * time.Second // in which a newcomer, or who comes back, is eased in
)

// out tells whether the provider is set aside.
func (h *health) out(now time.Time) bool { return now.Before(h.until) }

func (h *health) good(now time.Time) {
	h.fails = 0
	if h.ejected > 0 && now.Sub(h.until) > ejectMax {
		h.ejected = 0
	}
}

// bad counts a failure; may tells whether enough others would be left.
func (h *health) bad(now time.Time, may bool) {
	if h.fails < 255 {
		h.fails++
	}
	if h.fails < ejectAfter || !may || h.out(now) {
		return
	}
	h.until = now.Add(min(ejectFor<<min(h.ejected, 8), ejectMax))
	h.fails = ejectAfter - 1 // one more failure after its return, and it goes again
	if h.ejected < 255 {
		h.ejected++
	}
}

// newness falls from 1 to 0 in the time of the slow start.
func (p *provider) newness(now time.Time) float64 {
	age := slowStart
	if !p.since.IsZero() { // of two clocks the kinder: it may be this node's first word of it
		age = max(now.Sub(p.since), now.Sub(p.first))
	}
	if !p.until.IsZero() {
		age = min(age, now.Sub(p.until))
	}
	if age >= slowStart {
		return 0
	}
	return 1 - float64(max(age, 0))/float64(slowStart)
}
