package sim

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// figureNames are all that an expectation may name; with "warmup." in front
// they are those of warm-up, as far as they have a meaning there.
var figureNames = []string{
	"messages", "delivered", "excused", "lies", "denied", "repeated", "hops.mean", "hops.p95", "stretch.mean", "stretch.p95", "stretch.latency",
	"latency.p50", "latency.p99", "copies.mean", "copies.extra", "first.copies", "first.flood", "probes.share", "probe.frames",
	"control.bytes", "payload.bytes", "heal.time", "load.cv", "load.p99ratio", "load.tail", "wrong", "cross", "all.reach", "all.ratio",
}

// result makes the Result of a run that is over.
func (s *sim) result() *Result {
	g := &s.meter
	r := &Result{
		Scenario: s.sc.Name, Seed: s.sc.Seed, Nodes: s.sc.Nodes, Virtual: time.Duration(s.end), Events: s.count,
		Figures: make(map[string]float64), Outcomes: g.outcomes, Failures: g.failures, FailureCount: g.failed,
	}
	if s.warm > 0 {
		warm := make(map[string]float64)
		s.phaseFigures(warm, &g.phases[0], 0, s.warm)
		for k, v := range warm {
			r.Figures["warmup."+k] = v
		}
	}
	s.phaseFigures(r.Figures, &g.phases[1], s.warm, s.end)
	s.loadFigures(r.Figures, &g.phases[1])
	if len(s.sc.Events) > 0 {
		r.Figures["heal.time"] = s.healTime()
	}
	r.Plots = s.plots()
	slices.SortFunc(r.Failures, func(a, b Failure) int { return int(int64(a.Message) - int64(b.Message)) })
	r.Missed = missed(s.sc.Expect, r.Figures)
	return r
}

func (s *sim) phaseFigures(f map[string]float64, p *phase, from, to int64) {
	f["messages"], f["lies"], f["denied"], f["repeated"] = float64(p.messages), float64(p.lies), float64(p.denied), float64(p.repeated)
	f["wrong"], f["excused"] = float64(p.wrong), float64(p.excused)
	put := func(name string, of, by uint64) {
		if by > 0 {
			f[name] = float64(of) / float64(by)
		}
	}
	put("delivered", p.acked, p.asked)
	put("copies.mean", p.copies, p.delivered)
	put("copies.extra", p.extra, p.delivered)
	put("first.copies", p.firstFrames, p.firsts)
	put("probes.share", p.probed, p.asked)
	put("probe.frames", p.probeFrames, p.messages)
	put("cross", p.crossed, p.handled)
	put("all.ratio", p.allCopies, p.allEdges)
	if p.allDone > 0 {
		f["all.reach"] = p.reach / float64(p.allDone)
	}
	if p.delivered > 0 {
		f["hops.mean"], f["hops.p95"] = hopFigures(p.hops[:])
	}
	if len(p.stretch) > 0 {
		f["stretch.mean"], f["stretch.p95"] = mean(p.stretch), quantile(p.stretch, 0.95)
		f["stretch.latency"] = mean(p.slower)
	}
	if p.latency.TotalCount() > 0 {
		f["latency.p50"], f["latency.p99"] = ms(p.latency, 50), ms(p.latency, 99)
	}
	s.trafficFigures(f, from, to)
}

// trafficFigures are those of the links over a time.
func (s *sim) trafficFigures(f map[string]float64, from, to int64) {
	w := s.meter.samples
	a, b := int(from/int64(time.Second)), min(int(to/int64(time.Second)), len(w)-1)
	if b <= a {
		return
	}
	nodeSeconds, flood := 0.0, 0.0
	for k := a + 1; k <= b; k++ {
		nodeSeconds += float64(w[k].alive)
		flood += float64(2*w[k].pairs - w[k].alive + 1)
	}
	control := w[b].probes + w[b].answers - w[a].probes - w[a].answers
	if nodeSeconds > 0 {
		f["control.bytes"] = float64(control) / nodeSeconds
		f["payload.bytes"] = float64(w[b].payload-w[a].payload) / nodeSeconds
	}
	f["first.flood"] = flood / float64(b-a)
}

// loadFigures tell how evenly providers are used.
func (s *sim) loadFigures(f map[string]float64, p *phase) {
	type group struct {
		name, region int32
		attributes   uint64
	}
	var order []group
	loads := make(map[group][]float64)
	for i := range s.servers {
		v := &s.servers[i]
		if v.slow { // it should have less than the others
			continue
		}
		k := group{v.name, s.nodes[v.node].region, v.digest}
		if loads[k] == nil {
			order = append(order, k)
		}
		loads[k] = append(loads[k], float64(v.handled))
	}
	var cvs []float64
	for _, k := range order {
		if m := mean(loads[k]); m > 0 && len(loads[k]) > 1 {
			cvs = append(cvs, deviation(loads[k])/m)
		}
	}
	if len(cvs) > 0 {
		f["load.cv"] = mean(cvs)
	}
	if p.slow.TotalCount() > 0 && p.fast.TotalCount() > 0 {
		f["load.p99ratio"] = ms(p.slow, 99) / ms(p.fast, 99)
	}
	slow := slices.ContainsFunc(s.servers, func(v server) bool { return v.slow })
	if slow && p.fast.TotalCount() > 0 { // 1 when nobody was sent to them
		all := hdrhistogram.Import(p.slow.Export())
		all.Merge(p.fast)
		f["load.tail"] = ms(all, 99) / ms(p.fast, 99)
	}
}

// The rate of success that counts as healed, and for how long it must last.
const (
	healed    = 0.99
	healedFor = 3
)

// healTime is the longest time, in seconds, from the beginning of an event
// until the rate of success was good again.
func (s *sim) healTime() float64 {
	worst := 0.0
	for i := range s.sc.Events {
		from := int((s.warm + int64(s.sc.Events[i].At)) / int64(time.Second))
		bad, good := from-1, 0
		for k := from; k < len(s.meter.sent) && good < healedFor; k++ {
			if b := &s.meter.sent[k]; float64(b.acked) < healed*float64(b.asked) {
				bad, good = k, 0
			} else {
				good++
			}
		}
		worst = max(worst, float64(bad+1-from))
	}
	return worst
}

func hopFigures(hops []uint64) (mean, p95 float64) {
	n, sum := uint64(0), uint64(0)
	for h, c := range hops {
		n += c
		sum += uint64(h) * c
	}
	up := uint64(0)
	for h, c := range hops {
		if up += c; float64(up) >= 0.95*float64(n) {
			return float64(sum) / float64(n), float64(h)
		}
	}
	return float64(sum) / float64(n), mesh.MaxTTL
}

func ms(h *hdrhistogram.Histogram, percent float64) float64 {
	return float64(h.ValueAtQuantile(percent)) / 1000
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func deviation(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)))
}

func quantile(x []float64, q float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[min(len(y)-1, int(q*float64(len(y))))]
}
