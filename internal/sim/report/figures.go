package report

import (
	"slices"
	"strings"

	"github.com/meshnode/meshnode/internal/sim"
)

// Figure explains one number of a Result.
type Figure struct {
	Name    string // in Result.Figures
	Group   string // one of Groups
	Title   string // a few plain words
	Unit    Unit
	Meaning string // a sentence
}

// The groups of figures, in the order in which they are shown.
const (
	Delivery = "delivery"
	Finding  = "finding"
	Ways     = "ways"
	Load     = "load"
	Traffic  = "cost"
	Warmup   = "warm-up"
	Other    = "other"
)

// Groups lists the groups in order.
func Groups() []string {
	return []string{Delivery, Finding, Ways, Load, Traffic, Warmup, Other}
}

const warmup = "warmup."

// figures is the vocabulary; docs/simulation.md has the same list.
var figures = []Figure{
	{"messages", Delivery, "messages sent", Count, "Messages sent after the warm-up."},
	{"delivered", Delivery, "delivered", Share, "Share of the messages that were acknowledged, of those that had an able provider alive all along."},
	{"excused", Delivery, "excused", Count, "Messages not delivered because no able provider was alive all along within the TTL; they are not in delivered."},
	{"denied", Delivery, "providers denied", Count, "Messages to one that were told that there is no provider, or no way to it, though one was able and within the TTL all along."},
	{"lies", Delivery, "lies", Count, "Final words that do not tell what happened: an acknowledgement without exactly one effect at that provider, a refusal although a handler ran, an effect at two providers without failover, after the message's lifetime, or beyond its TTL."},
	{"repeated", Delivery, "handled again", Count, "Messages whose handler ran again at the same provider, which had forgotten the first time."},
	{"wrong", Delivery, "handled by the wrong one", Count, "Messages handled by a provider whose attributes do not match the selector."},
	{"all.reach", Delivery, "providers reached by one to all", Share, "Of a message of mode all, the share of the live providers within its TTL that it reached."},
	{"latency.p50", Delivery, "final word after, half of them", Milliseconds, "Time from publishing to the final word; half of the messages took less."},
	{"latency.p99", Delivery, "final word after, 99 of 100", Milliseconds, "Time from publishing to the final word; 99 % of the messages took less."},
	{"heal.time", Delivery, "time to heal", Seconds, "After an event, the time from its beginning until 99 % of a second's messages succeed again; the longest of all events."},

	{"probes.share", Finding, "had to look for a provider", Share, "Share of the messages that caused a probe."},
	{"probe.frames", Finding, "probe frames a message", Count, "Frames of probes, over all links, for each message, whether it caused one or not."},
	{"first.copies", Finding, "frames of a first message", Count, "All frames of a message that had to look for a provider, probes and answers included, until it was delivered; the mean."},
	{"first.flood", Finding, "frames of a flood instead", Count, "What a flood of the mesh would cost for one message: 1 and every node's links but one."},

	{"hops.mean", Ways, "hops", Count, "Links crossed by a delivered message; the mean."},
	{"hops.p95", Ways, "hops, 95 of 100", Count, "Links crossed by a delivered message; 95 % crossed no more."},
	{"stretch.mean", Ways, "detour in hops", Ratio, "Hops of the way a message took, over the hops of the shortest way to the same provider at that time; the mean of a sample."},
	{"stretch.p95", Ways, "detour in hops, 95 of 100", Ratio, "The same; 95 % of the sample is no larger."},
	{"stretch.latency", Ways, "detour in time", Ratio, "Latency of the way a message took, over that of the fastest way to the same provider at that time; the mean of a sample."},
	{"copies.mean", Ways, "crossings a delivery", Count, "Links crossed by all copies of a message's payload, for each message delivered."},
	{"copies.extra", Ways, "crossings too many", Count, "Links crossed by a message's payload beyond the hops of the way that delivered it; the mean."},
	{"all.ratio", Ways, "crossings over a tree's", Ratio, "Crossings of a message of mode all, over the links of a shortest-path tree from its origin to the providers; the mean."},
	{"cross", Ways, "handled in another region", Share, "Share of the messages that were handled in another region although an able provider lived in the sender's."},

	{"load.tail", Load, "what slow providers cost", Ratio, "99th percentile of the time to the final word, of all messages over those that other providers answered."},
	{"load.cv", Load, "unevenness", Count, "Coefficient of variation of the messages per provider, among those of a region and a service with the same attributes, slow ones left out; the mean of all. 0 is even."},
	{"load.p99ratio", Load, "slow provider's delay", Ratio, "The 99th percentile of latency of messages answered by slow providers, over that of the others."},

	{"control.bytes", Traffic, "overhead, a node and second", Bytes, "Bytes of probes, answers and grafts that each node sent, a second; the mean."},
	{"payload.bytes", Traffic, "payload, a node and second", Bytes, "Bytes of payload frames that each node sent, a second; the mean."},
}

// Figures lists the vocabulary. A figure of the warm-up has the name of
// another with "warmup." in front.
func Figures() []Figure { return slices.Clone(figures) }

// Lookup explains a figure by name. One that is not in the vocabulary comes
// back under its name, in group Other, with false.
func Lookup(name string) (Figure, bool) {
	base, warm := strings.CutPrefix(name, warmup)
	for _, f := range figures {
		if f.Name != base {
			continue
		}
		if warm {
			f.Name, f.Group = name, Warmup
		}
		return f, true
	}
	return Figure{Name: name, Group: Other, Title: name, Unit: Count}, false
}

// Group is a group of figures that a Result has.
type Group struct {
	Name string
	Rows []Row
}

// Row is one figure with its value and what was expected of it.
type Row struct {
	Figure
	Value    float64
	Expected string // "at least 99.99 %"; empty: nothing was
	Missed   bool
}

// Grouped puts the figures of a result in groups and in order, of the warm-up
// those that tell what it cost. expect is the scenario's.
func Grouped(r *sim.Result, expect map[string]string) []Group {
	var out []Group
	for _, name := range Groups() {
		if g := (Group{name, rows(r, expect, name)}); len(g.Rows) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func rows(r *sim.Result, expect map[string]string, group string) []Row {
	var out []Row
	for name, value := range r.Figures {
		f, _ := Lookup(name)
		if f.Group != group {
			continue
		}
		row := Row{Figure: f, Value: value}
		if group == Warmup && expect[name] == "" && !ofWarmup(name) {
			continue
		}
		if b, err := sim.ParseBound(expect[name]); err == nil {
			row.Expected, row.Missed = words(b, f.Unit), !b.Holds(value)
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b Row) int {
		if d := place(a.Name) - place(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// ofWarmup reports whether a figure of the warm-up is shown without being asked
// for: what finding and learning cost, and whether words were true.
func ofWarmup(name string) bool {
	f, _ := Lookup(strings.TrimPrefix(name, warmup))
	return f.Group == Finding || f.Group == Traffic || f.Name == "delivered" || f.Name == "lies"
}

// place is the position of a figure in the vocabulary, past its end when it is
// not there.
func place(name string) int {
	name = strings.TrimPrefix(name, warmup)
	if i := slices.IndexFunc(figures, func(f Figure) bool { return f.Name == name }); i >= 0 {
		return i
	}
	return len(figures)
}
