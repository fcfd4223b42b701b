package sim

import (
	"math"
	"slices"
)

// plots are the pictures of a run.
func (s *sim) plots() []Plot {
	g, p := &s.meter, &s.meter.phases[1]
	var out []Plot
	add := func(name, x, y string, bars bool, series ...Series) {
		kept := series[:0]
		for _, v := range series {
			if len(v.X) > 0 {
				kept = append(kept, v)
			}
		}
		if len(kept) > 0 {
			out = append(out, Plot{Name: name, X: x, Y: y, Bars: bars, Series: kept})
		}
	}
	hops := Series{Name: "messages"}
	for h, c := range p.hops {
		if c > 0 {
			hops.X, hops.Y = append(hops.X, float64(h)), append(hops.Y, float64(c))
		}
	}
	add("hops", "hops to the provider", "messages", true, hops)
	add("stretch", "hops taken / hops of the shortest way", "messages sampled", true, histogram("hops", p.stretch, 0.25))
	add("stretch of latency", "time taken / latency of the shortest way", "messages sampled", true, histogram("latency", p.slower, 0.25))
	add("latency", "ms from publishing to the final word", "messages", true, s.latencyPlot())
	add("success", "s since the start", "share of messages of that second", false, s.bySecond("success", func(b *bucket) (uint64, uint64) { return b.acked, b.asked }))
	add("copies", "s since the start", "payload frames per delivery", false, s.bySecond("copies", func(b *bucket) (uint64, uint64) { return b.copies, b.delivered }))
	var control, alive Series
	control.Name, alive.Name = "control", "nodes"
	for k, w := range g.samples {
		alive.X, alive.Y = append(alive.X, float64(k)), append(alive.Y, float64(w.alive))
		if k > 0 && w.alive > 0 {
			before := g.samples[k-1]
			control.X = append(control.X, float64(k))
			control.Y = append(control.Y, float64(w.probes+w.answers-before.probes-before.answers)/float64(w.alive))
		}
	}
	add("control", "s since the start", "bytes per node and second", false, control)
	add("load", "providers, busiest first", "messages handled", true, s.loadPlot())
	add("alive", "s since the start", "nodes", false, alive)
	return out
}

// bySecond is a share over the time of sending.
func (s *sim) bySecond(name string, share func(*bucket) (of, by uint64)) Series {
	out := Series{Name: name}
	for k := range s.meter.sent {
		if of, by := share(&s.meter.sent[k]); by > 0 {
			out.X, out.Y = append(out.X, float64(k)), append(out.Y, float64(of)/float64(by))
		}
	}
	return out
}

// histogram counts values in steps.
func histogram(name string, x []float64, step float64) Series {
	out := Series{Name: name}
	if len(x) == 0 {
		return out
	}
	counts := make([]float64, int(slices.Max(x)/step)+1)
	for _, v := range x {
		counts[int(v/step)]++
	}
	for k, c := range counts {
		if c > 0 {
			out.X, out.Y = append(out.X, float64(k)*step), append(out.Y, c)
		}
	}
	return out
}

// latencyPlot has four bars to each doubling.
func (s *sim) latencyPlot() Series {
	counts := make(map[int]float64)
	for _, b := range s.meter.phases[1].latency.Distribution() {
		if b.Count > 0 {
			counts[int(math.Floor(4*math.Log2(float64(b.From)/1000)))] += float64(b.Count)
		}
	}
	out := Series{Name: "messages"}
	for k := -40; k < 120; k++ {
		if counts[k] > 0 {
			out.X, out.Y = append(out.X, math.Exp2(float64(k)/4)), append(out.Y, counts[k])
		}
	}
	return out
}

// loadBars is how many bars a picture of the load has at most.
const loadBars = 200

func (s *sim) loadPlot() Series {
	out := Series{Name: "handled"}
	var loads []float64
	for i := range s.servers {
		loads = append(loads, float64(s.servers[i].handled))
	}
	slices.Sort(loads)
	slices.Reverse(loads)
	step := (len(loads) + loadBars - 1) / loadBars
	for k := 0; k < len(loads); k += max(1, step) {
		out.X, out.Y = append(out.X, float64(k)), append(out.Y, loads[k])
	}
	return out
}
