package hosts

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// maxDetour bounds the links crossed, in times the shortest way. The fastest
// way is taken, and links differ in latency by a factor of ten. After an event
// ways are in use that were found while others were closed.
const maxDetour = 4

// result computes the figures, as docs/simulation.md defines them.
func (p *play) result() *sim.Result {
	r := &sim.Result{
		Scenario: p.s.Name, Seed: p.s.Seed, Nodes: p.s.Nodes, Virtual: p.now(),
		Figures: map[string]float64{"lies": 0, "repeated": 0, "excused": 0}, Outcomes: make(map[string]uint64),
	}
	var due, delivered float64
	var took, hops, stretch, reach []float64
	f := r.Figures
	for number, m := range p.account.all {
		if m.at < p.s.Warmup || p.absent(m.from, m) {
			continue
		}
		f["messages"]++
		r.Outcomes[m.status.String()]++
		why, repeated := m.lie()
		if why != "" {
			f["lies"]++
			p.fail(r, m.failure(number, why, true))
		}
		if repeated {
			f["repeated"]++
		}
		took = append(took, float64(m.ended-m.at)/float64(time.Millisecond))
		away := p.distances(m)
		able := p.able(m, away)
		good := m.status == mesh.StatusOK
		switch {
		case good:
			delivered++
		case able == 0:
			f["excused"]++
			continue
		default:
			p.fail(r, m.failure(number, "an able provider was up and connected all along", false))
		}
		due++
		if m.flow.Mode == "all" && able > 0 {
			reach = append(reach, float64(len(m.visits))/float64(able))
		}
		for _, w := range m.told {
			hops = append(hops, float64(w.hops))
			if n := away[w.provider]; n > 0 {
				stretch = append(stretch, float64(w.hops)/float64(n))
				if w.hops > maxDetour*n && len(p.parted) == 0 {
					r.Missed = append(r.Missed, fmt.Sprintf("message %d crossed %d links where %d lead there", number, w.hops, n))
				}
			}
		}
	}
	f["delivered"] = delivered / max(1, due)
	f["latency.p50"], f["latency.p99"] = quantile(took, 0.5), quantile(took, 0.99)
	f["hops.mean"], f["hops.p95"] = mean(hops), quantile(hops, 0.95)
	f["stretch.mean"], f["stretch.p95"] = mean(stretch), quantile(stretch, 0.95)
	if len(reach) > 0 {
		f["all.reach"] = mean(reach)
	}
	if len(p.s.Events) > 0 {
		f["heal.time"] = p.healTime().Seconds()
	}
	return r
}

func (p *play) fail(r *sim.Result, f sim.Failure) {
	r.FailureCount++
	if len(r.Failures) < sim.MaxFailures {
		r.Failures = append(r.Failures, f)
	}
}

// absent tells whether a node was away at some time between a message's
// sending and its end.
func (p *play) absent(node int, m *message) bool {
	return slices.ContainsFunc(p.away, func(l leaving) bool {
		return l.node == node && l.from <= m.ended && m.at <= l.to
	})
}

// distances gives the hops from a message's sender to all nodes, over what was
// up and connected from its sending to its end.
func (p *play) distances(m *message) []int {
	return p.mesh.graph.distances(m.from, func(i int) bool {
		return !p.absent(i, m) && !slices.ContainsFunc(p.parted, func(c partition) bool {
			return c.from <= m.ended && m.at <= c.to && c.small[i] != c.small[m.from]
		})
	})
}

// able counts the providers within a message's reach.
func (p *play) able(m *message, away []int) int {
	n := 0
	for _, sv := range p.services {
		if sv.name != m.to {
			continue
		}
		for _, i := range sv.providers {
			if away[i] >= 0 && away[i] <= mesh.MaxTTL {
				n++
			}
		}
	}
	return n
}

// healTime is the longest time from an event's beginning, by way of a second
// of which less than 99 % succeeded, to the next of which more did.
func (p *play) healTime() time.Duration {
	sent, good := make(map[time.Duration]int), make(map[time.Duration]int)
	for _, m := range p.account.all {
		second := m.at.Truncate(time.Second)
		switch {
		case m.status == mesh.StatusOK:
			good[second]++
		case p.absent(m.from, m) || p.able(m, p.distances(m)) == 0:
			continue
		}
		sent[second]++
	}
	var longest time.Duration
	for _, e := range p.s.Events {
		at := (p.s.Warmup + e.At).Truncate(time.Second)
		bad := false
		for s := at; s < p.s.Warmup+p.s.Duration; s += time.Second {
			ok := good[s]*100 >= sent[s]*99
			if bad = bad || !ok; bad && ok {
				longest = max(longest, s-at)
				break
			}
		}
	}
	return longest
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// quantile by nearest rank.
func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[min(len(x)-1, int(q*float64(len(x))))]
}
