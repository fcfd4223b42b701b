package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// params are the parameters of a run. manifest.toml describes each, and has
// the same defaults; a test holds the two together.
type params struct {
	seed      int
	degree    int
	transport string // tcp, quic or both
	port      int    // instance n, counted from 1, listens on port + n - 1
	services  int
	providers int     // of each service; 0: as share says
	share     float64 // of the instances that serve each service, at least one
	names     int     // of services that one instance sends to
	from      float64 // share of the instances that send
	rate      float64 // messages per second and instance
	warmup    time.Duration
	duration  time.Duration
	deadline  time.Duration
	payload   int
	failover  bool
	delivered float64 // least share of messages delivered; fewer fail the run

	churnRate float64       // share of the nodes that stop each minute
	downtime  time.Duration // until a stopped node is back
	kill      float64       // share of stops without a word to neighbours

	partition    float64       // share of the nodes on the small side
	partitionAt  time.Duration // since the end of the warm-up
	partitionFor time.Duration

	latency   time.Duration
	jitter    time.Duration
	bandwidth int // bits per second; 0 is no limit
}

// readParams takes what the runner passes; what it does not pass has the
// default of the case. The error names every parameter that is wrong.
func readParams(in map[string]string, testcase string) (params, error) {
	r := &reader{in: in, testcase: testcase, defaults: make(map[string]string)}
	p := r.params()
	for name := range in {
		if _, known := r.defaults[name]; !known {
			r.errs = append(r.errs, fmt.Errorf("parameter %s is unknown: %s has %s", name, testcase, strings.Join(r.names(), ", ")))
		}
	}
	return p, errors.Join(r.errs...)
}

// params reads those that the case has.
func (r *reader) params() params {
	p := params{
		seed:      r.integer("seed", "1", 0, 1<<31),
		degree:    r.integer("degree", "8", 2, 64, forCase("multihop", "4")),
		transport: r.choice("transport", "tcp", "quic", "both"),
		port:      r.integer("port", "20000", 1024, 50000),
		services:  r.integer("services", "10", 1, 10000),
		providers: r.integer("providers", "0", 0, 10000),
		share:     r.float("share", "0.02", 0, 1, forCase("churn", "0.03"), forCase("partition", "0.04")),
		delivered: r.float("delivered", "0.999", 0, 1, forCase("partition", "0.98")),
		from:      r.float("from", "1", 0, 1),
		deadline:  r.duration("deadline", "30s", time.Second, 10*time.Minute),
		payload:   r.integer("payload", "128", 0, 1<<20),
		latency:   r.duration("latency", "0s", 0, 10*time.Second),
		jitter:    r.duration("jitter", "0s", 0, 10*time.Second),
		bandwidth: r.integer("bandwidth", "0", 0, 1<<40),
	}
	if r.testcase == "discovery" {
		p.duration = r.duration("duration", "20s", 0, time.Hour)
	} else {
		p.names = r.integer("names", "1", 1, 10000)
		p.rate = r.float("rate", "0.3", 0.001, 1000, forCase("multihop", "0.5"))
		p.warmup = r.duration("warmup", "5s", 0, time.Hour)
		p.duration = r.duration("duration", "40s", time.Second, 24*time.Hour, forCase("multihop", "20s"))
		p.failover = r.choice("failover", "false", "true") == "true"
	}
	if r.testcase == "churn" {
		p.churnRate = r.float("churn_rate", "0.6", 0, 10)
		p.downtime = r.duration("downtime", "5s", 0, time.Hour)
		p.kill = r.float("kill", "0.5", 0, 1)
	}
	if r.testcase == "partition" {
		p.partition = r.float("partition", "0.3", 0.01, 0.5)
		p.partitionAt = r.duration("partition_at", "10s", 0, time.Hour)
		p.partitionFor = r.duration("partition_for", "10s", time.Second, time.Hour)
		if end := p.partitionAt + p.partitionFor; end >= p.duration {
			r.errs = append(r.errs, fmt.Errorf("partition_at and partition_for end after %s: need less than duration, which is %s", end, p.duration))
		}
	}
	return p
}

// reader reads parameters and gathers what is wrong with them.
type reader struct {
	in       map[string]string
	testcase string
	defaults map[string]string // of those asked for
	errs     []error
}

// caseDefault is a default that holds for one case.
type caseDefault struct{ testcase, value string }

func forCase(testcase, value string) caseDefault { return caseDefault{testcase, value} }

func (r *reader) text(name, value string, special []caseDefault) string {
	for _, s := range special {
		if s.testcase == r.testcase {
			value = s.value
		}
	}
	r.defaults[name] = value
	if v, ok := r.in[name]; ok {
		value = v
	}
	return value
}

func (r *reader) wrong(name, value, need string) {
	r.errs = append(r.errs, fmt.Errorf("parameter %s is %q: need %s", name, value, need))
}

func (r *reader) integer(name, value string, low, high int, special ...caseDefault) int {
	value = r.text(name, value, special)
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		r.wrong(name, value, fmt.Sprintf("%d to %d", low, high))
	}
	return n
}

func (r *reader) float(name, value string, low, high float64, special ...caseDefault) float64 {
	value = r.text(name, value, special)
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= low && f <= high) {
		r.wrong(name, value, fmt.Sprintf("%g to %g", low, high))
	}
	return f
}

func (r *reader) duration(name, value string, low, high time.Duration, special ...caseDefault) time.Duration {
	value = r.text(name, value, special)
	d, err := time.ParseDuration(value)
	if err != nil || d < low || d > high {
		r.wrong(name, value, fmt.Sprintf("%s to %s", low, high))
	}
	return d
}

func (r *reader) choice(name string, of ...string) string {
	value := r.text(name, of[0], nil)
	if !slices.Contains(of, value) {
		r.wrong(name, value, strings.Join(of, ", "))
	}
	return value
}

func (r *reader) names() []string {
	var out []string
	for name := range r.defaults {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
