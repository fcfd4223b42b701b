package main

import (
	"fmt"
	"slices"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// summaryMark stands before the summary in the output of instance 1.
const summaryMark = "summary: "

// summary is what a run found, as one line of JSON.
type summary struct {
	Case      string             `json:"case"`
	Instances int                `json:"instances"`
	Figures   map[string]float64 `json:"figures"`
	Outcomes  map[string]int     `json:"outcomes"` // final words by status
	Lies      int                `json:"lies"`
	Failures  []failure          `json:"failures,omitempty"` // the first of those that were due and not delivered
	Missed    []string           `json:"missed,omitempty"`   // why the run fails, if it does
}

// failure is a message that had an able provider all along and was not
// delivered.
type failure struct {
	Instance int     `json:"from"`
	To       string  `json:"to"`
	At       float64 `json:"at"`   // ms since its phase began
	Took     float64 `json:"took"` // ms
	Outcome  string  `json:"outcome"`
	Why      string  `json:"why"`
}

const maxFailures = 10

// summarize judges the reports of all instances and computes the figures.
// README.md of the testground folder says what each of them means.
func summarize(testcase string, p params, g graph, roles roles, reports []*report) *summary {
	truth, lies := reckon(reports, p.failover)
	s := &summary{
		Case: testcase, Instances: len(reports), Outcomes: make(map[string]int), Lies: lies, Missed: truth.lies,
		Figures: map[string]float64{"lies": float64(lies)},
	}
	f := &figures{
		p: p, graph: g, roles: roles, reports: reports, truth: truth, to: s.Figures, seconds: make(map[int]*second),
		whole: distances{g, nil, nil}, parted: distances{g, func(a, b int) bool { return !roles.cutOff(a, b) }, nil},
	}
	for _, r := range reports {
		f.mended = max(f.mended, r.Relinked)
	}
	for _, r := range reports {
		for i := range r.Words {
			if w := &r.Words[i]; w.Phase != warmup {
				s.Outcomes[w.Status.String()]++
				f.add(r, w)
			}
		}
	}
	f.finish()
	s.Failures = f.failures
	if have, ok := s.Figures["delivered"]; ok && have < p.delivered {
		s.Missed = append(s.Missed, fmt.Sprintf("%.4f of the messages were delivered: need %.4f; outcomes: %v", have, p.delivered, s.Outcomes))
	}
	return s
}

// figures gathers what the words and sights of a run come to.
type figures struct {
	p       params
	graph   graph
	roles   roles
	reports []*report
	truth   *reckoning
	to      map[string]float64

	whole     distances // in the whole graph
	parted    distances // without the links that the partition cuts
	failures  []failure
	mended    float64 // ms that the links took to come back, the slowest
	messages  int
	due, done int // messages with a provider all along, and those delivered
	hops      sample
	stretch   sample
	latency   sample
	reach     sample
	tries     int
	seconds   map[int]*second // since the phase began
}

// second counts the messages sent in one second of a phase.
type second struct{ sent, ok, prompt int }

// add takes in the word on a message.
func (f *figures) add(r *report, w *word) {
	f.messages++
	f.tries += w.Tries
	f.tally(r, w)
	if w.Status != mesh.StatusOK {
		return
	}
	f.latency = append(f.latency, w.Took)
	d := f.whole.from(r.Instance)
	for _, by := range w.By {
		i, known := f.truth.instance[by.Peer]
		if !known {
			continue
		}
		for _, h := range f.truth.saw[w.ID].at {
			if h.instance == i && h.Hops > 0 {
				f.hops = append(f.hops, float64(h.Hops))
				f.stretch = append(f.stretch, float64(h.Hops)/float64(d[i]))
				break
			}
		}
	}
	if w.Flow == flowAll {
		f.reach = append(f.reach, f.reached(d, w))
	}
}

// tally counts a message if it was due, in its second.
func (f *figures) tally(r *report, w *word) {
	if !f.able(r, w) {
		return
	}
	since := w.At - r.Phases[w.Phase].From
	at := int(since / 1000)
	if f.seconds[at] == nil {
		f.seconds[at] = new(second)
	}
	f.due++
	f.seconds[at].sent++
	switch {
	case w.Status == mesh.StatusOK:
		f.done++
		f.seconds[at].ok++
		if w.Took < 1000 {
			f.seconds[at].prompt++
		}
	case len(f.failures) < maxFailures:
		f.failures = append(f.failures, failure{r.Instance + 1, serviceName(w.Service), since, w.Took, w.Status.String(), w.Why})
	}
}

// reached gives the share of the providers within the TTL that a message to
// all has reached.
func (f *figures) reached(d []int, w *word) float64 {
	within, reached := 0, 0
	for _, i := range f.roles.providers[w.Service] {
		if inReach(d[i]) {
			within++
			if f.truth.saw[w.ID].runs(i) > 0 {
				reached++
			}
		}
	}
	return ratio(float64(reached), float64(within))
}

func inReach(distance int) bool { return distance >= 0 && distance <= mesh.MaxTTL }

// able tells whether a message had an able provider all along: from its
// sending to its word the sender and a provider were up, and a way within the
// TTL led there that no partition cut.
func (f *figures) able(r *report, w *word) bool {
	if overlaps(r.Downs, w.At, w.end()) {
		return false
	}
	d := f.whole.from(r.Instance)
	if f.severed(r, w) {
		d = f.parted.from(r.Instance)
	}
	for _, i := range f.roles.providers[w.Service] {
		if inReach(d[i]) && !overlaps(f.reports[i].Downs, w.At, w.end()) {
			return true
		}
	}
	return false
}

// severed tells whether a message was on its way during the partition, which
// ends when the last link is back.
func (f *figures) severed(r *report, w *word) bool {
	if f.p.partition == 0 {
		return false
	}
	from := r.Phases[w.Phase].From + ms(f.p.partitionAt)
	return w.At < from+ms(f.p.partitionFor)+f.mended && w.end() > from
}

func overlaps(spans []span, from, to float64) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.From < to && s.To > from })
}

// finish puts down all figures.
func (f *figures) finish() {
	put := func(name string, v float64) { f.to[name] = v }
	put("messages", float64(f.messages))
	put("delivered", ratio(float64(f.done), float64(f.due)))
	put("due.share", ratio(float64(f.due), float64(f.messages)))
	put("hops.mean", f.hops.mean())
	put("hops.p95", f.hops.quantile(.95))
	put("stretch.mean", f.stretch.mean())
	put("stretch.p95", f.stretch.quantile(.95))
	put("latency.p50", f.latency.quantile(.5))
	put("latency.p99", f.latency.quantile(.99))
	put("repeats", float64(f.truth.repeats))
	put("doubles", float64(f.truth.doubles))
	if len(f.reach) > 0 {
		put("all.reach", f.reach.mean())
	}
	f.resources()
	f.traffic()
	if f.p.partition > 0 {
		put("heal.time", f.healed(func(s *second) int { return s.ok }))
		put("prompt.time", f.healed(func(s *second) int { return s.prompt }))
	}
}

// resources puts down what the instances took, and how often they restarted.
func (f *figures) resources() {
	var cpu, memory, finds, relinked sample
	restarts, missed, probes := 0, 0, uint64(0)
	for _, r := range f.reports {
		cpu, memory, finds = append(cpu, r.CPU), append(memory, r.Memory), append(finds, r.Finds...)
		if r.Relinked > 0 {
			relinked = append(relinked, r.Relinked)
		}
		restarts, missed, probes = restarts+r.Restarts, missed+r.NotFound, probes+r.Probes
	}
	f.to["cpu.mean"], f.to["memory.mean"], f.to["memory.max"] = cpu.mean(), memory.mean(), memory.quantile(1)
	f.to["probe.rings"] = float64(probes)
	if restarts > 0 {
		f.to["restarts"] = float64(restarts)
	}
	if len(relinked) > 0 {
		f.to["relink.max"] = relinked.quantile(1)
	}
	if searches := len(finds) + missed; searches > 0 {
		f.to["find.p50"], f.to["find.p99"] = finds.quantile(.5), finds.quantile(.99)
		f.to["found"] = float64(len(finds)) / float64(searches)
	}
}

// traffic puts down frames: of searches alone, of first messages with their
// searches, and of all messages else.
func (f *figures) traffic() {
	frames := make(map[string]float64)
	for _, r := range f.reports {
		for name, p := range r.Phases {
			frames[name] += float64(p.Frames)
		}
	}
	n := float64(f.messages)
	if searches, ok := frames["find"]; ok {
		f.to["probe.frames"] = ratio(searches, n)
		f.to["first.copies"] = ratio(searches+frames["first"]+n, n)
		f.to["first.flood"] = float64(f.graph.flood())
		return
	}
	sum := 0.0
	for _, count := range frames {
		sum += count
	}
	f.to["frames.mean"] = ratio(sum+float64(max(f.tries, f.messages)), n)
}

// healed gives the seconds from the beginning of the partition until 99 % of
// the messages sent in a second, of those that were due, are good again.
func (f *figures) healed(good func(*second) int) float64 {
	begin := int(f.p.partitionAt.Seconds())
	last := begin
	for at, s := range f.seconds {
		if at >= begin && float64(good(s)) < .99*float64(s.sent) {
			last = max(last, at+1)
		}
	}
	return float64(last - begin)
}
