package main

import (
	"fmt"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// truth is what happened to one message, as handlers saw it.
type truth struct {
	at []handled
}

// handled is one life of a provider that handled a message.
type handled struct {
	instance int
	sight
}

// runs counts the handlings by one instance, over all its lives.
func (t *truth) runs(instance int) int {
	n := 0
	for _, h := range t.at {
		if h.instance == instance {
			n += h.Runs
		}
	}
	return n
}

// reckoning lays words beside sights.
type reckoning struct {
	saw      map[string]*truth // by message
	instance map[string]int    // by peer ID
	lies     []string
	repeats  int // handlings again by a provider that had been restarted
	doubles  int // messages to one provider that two handled, with leave to do so
	failover bool
}

// maxLies is how many lies are spelled out; all are counted.
const maxLies = 20

// reckon finds every word that does not tell what happened: a success that no
// handler saw, a refusal of what was handled, an effect at two providers of a
// message to one without leave for failover, an effect twice at a provider that
// was not restarted, a message that nobody sent or that came changed. An unknown outcome is never a
// lie.
func reckon(reports []*report, failover bool) (*reckoning, int) {
	r := &reckoning{saw: make(map[string]*truth), instance: make(map[string]int), failover: failover}
	count := 0
	lie := func(format string, args ...any) {
		if count++; count <= maxLies {
			r.lies = append(r.lies, fmt.Sprintf(format, args...))
		}
	}
	for _, rep := range reports {
		r.instance[rep.Peer] = rep.Instance
		for _, s := range rep.Sights {
			t := r.saw[s.ID]
			if t == nil {
				t = new(truth)
				r.saw[s.ID] = t
			}
			t.at = append(t.at, handled{rep.Instance, s})
			if s.Bad != "" {
				lie("instance %d handled message %s, which %s", rep.Instance+1, s.ID, s.Bad)
			}
			if s.Runs > 1 {
				lie("instance %d handled message %s %d times in one life", rep.Instance+1, s.ID, s.Runs)
			}
			if s.Hops > mesh.MaxTTL {
				lie("message %s made %d hops: at most %d are allowed", s.ID, s.Hops, mesh.MaxTTL)
			}
		}
	}
	sent := make(map[string]bool)
	for _, rep := range reports {
		for i := range rep.Words {
			w := &rep.Words[i]
			sent[w.ID] = true
			for _, what := range r.check(w) {
				lie("instance %d was told of message %s to %s: %s", rep.Instance+1, w.ID, serviceName(w.Service), what)
			}
		}
	}
	for id, t := range r.saw {
		if !sent[id] {
			lie("instance %d handled message %s, which nobody has sent", t.at[0].instance+1, id)
		}
	}
	return r, count
}

// check gives what is untrue about a word.
func (r *reckoning) check(w *word) []string {
	t := r.saw[w.ID]
	if t == nil {
		t = new(truth)
	}
	var out []string
	if w.Bad != "" {
		out = append(out, w.Bad)
	}
	for _, by := range w.By {
		who, known := r.instance[by.Peer]
		if !known {
			out = append(out, fmt.Sprintf("handled by %s, which is no instance", by.Peer))
		} else if t.runs(who) == 0 {
			out = append(out, fmt.Sprintf("handled by instance %d, whose handler has not seen it", who+1))
		}
	}
	providers := make(map[int]int)
	for _, h := range t.at {
		if providers[h.instance]++; providers[h.instance] > 1 {
			r.repeats++
		}
	}
	switch {
	case w.Status == mesh.StatusOK && len(w.By) == 0:
		out = append(out, "ok, and not by whom")
	case w.Status/100 != 1 && w.Status/100 != 5 && len(t.at) > 0:
		out = append(out, fmt.Sprintf("%s, but instance %d handled it", w.Status, t.at[0].instance+1))
	}
	switch {
	case w.Flow == flowAll || len(providers) < 2:
	case r.failover:
		r.doubles++
	default:
		out = append(out, fmt.Sprintf("one provider was asked, and %d handled it", len(providers)))
	}
	return out
}
