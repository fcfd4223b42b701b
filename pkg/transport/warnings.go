package transport

import (
	"slices"
	"sync"
	"time"
)

const (
	maxWarnings  = 64
	warningsLast = time.Hour
)

// warnings holds what an operator should know, by key, each for an hour after
// it last occurred.
type warnings struct {
	mu  sync.Mutex
	all map[string]warning
}

type warning struct {
	text string
	at   time.Time
	kept bool
}

// keep adds a warning that stays until it is cleared.
func (w *warnings) keep(key, text string) {
	w.set(time.Time{}, key, text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[key] = warning{text: text, kept: true}
}

// set reports whether the warning is new, and so worth a line in the log.
func (w *warnings) set(now time.Time, key, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire(now)
	old, known := w.all[key]
	if !known && len(w.all) >= maxWarnings {
		oldest := ""
		for k, v := range w.all {
			if !v.kept && (oldest == "" || v.at.Before(w.all[oldest].at)) {
				oldest = k
			}
		}
		delete(w.all, oldest)
	}
	if w.all == nil {
		w.all = make(map[string]warning)
	}
	w.all[key] = warning{text: text, at: now}
	return !known || old.text != text
}

func (w *warnings) clear(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, key)
}

func (w *warnings) list(now time.Time) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire(now)
	out := make([]string, 0, len(w.all))
	for _, v := range w.all {
		out = append(out, v.text)
	}
	slices.Sort(out)
	return out
}

func (w *warnings) expire(now time.Time) {
	for k, v := range w.all {
		if !v.kept && now.Sub(v.at) > warningsLast {
			delete(w.all, k)
		}
	}
}
