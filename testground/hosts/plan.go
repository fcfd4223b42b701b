package hosts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// The purposes for which the seed is used, so that one does not disturb another.
const (
	forGraph = iota + 1
	forServices
	forTraffic
	forChurn
	forSides
	forHandlers
)

// service is a name and the nodes that serve it.
type service struct {
	name      string
	handler   sim.Handler
	providers []int
}

// places draws the providers of all services.
func places(s *sim.Scenario) []service {
	r := random(s.Seed, forServices)
	var out []service
	for _, sv := range s.Services {
		for k := range sv.Count {
			n := sv.Providers
			if sv.Share > 0 {
				n = int(sv.Share*float64(s.Nodes) + 0.5)
			}
			n = max(1, min(n, s.Nodes))
			out = append(out, service{
				name: strings.ReplaceAll(sv.Name, "#", fmt.Sprint(k)), handler: sv.Handler, providers: r.Perm(s.Nodes)[:n],
			})
		}
	}
	return out
}

// send is one message to be sent.
type send struct {
	at   time.Duration // since the beginning of the warm-up
	from int
	to   string
	flow *sim.Traffic
}

// sends draws all messages, in order.
func sends(s *sim.Scenario, all []service) []send {
	end := s.Warmup + s.Duration
	var out []send
	for k := range s.Traffic {
		flow := &s.Traffic[k]
		r := random(s.Seed, forTraffic<<32|uint64(k))
		names := matching(flow.To, all)
		stop := end
		if flow.Stop > 0 {
			stop = min(stop, flow.Stop)
		}
		senders := r.Perm(s.Nodes)[:max(1, min(s.Nodes, int(flow.From*float64(s.Nodes)+0.5)))]
		for _, from := range senders {
			own := names[r.IntN(len(names))]
			for at := flow.Start; ; {
				at += time.Duration(r.ExpFloat64() / flow.Rate * float64(time.Second))
				if at >= stop {
					break
				}
				to := own
				if flow.Draw == "message" {
					to = names[r.IntN(len(names))]
				}
				out = append(out, send{at, from, to, flow})
			}
		}
	}
	slices.SortFunc(out, func(a, b send) int { return int(a.at - b.at) })
	return out
}

// matching gives the names that an address with a # stands for.
func matching(to string, all []service) []string {
	prefix, numbered := strings.CutSuffix(to, "#")
	if !numbered {
		return []string{to}
	}
	var out []string
	for _, sv := range all {
		if strings.HasPrefix(sv.name, prefix) {
			out = append(out, sv.name)
		}
	}
	return out
}

// leaving is one node's absence.
type leaving struct {
	node     int
	from, to time.Duration // since the beginning of the warm-up
	kill     bool
}

// leavings draws the churn, evenly over the time after the warm-up. A node
// leaves once at most.
func leavings(s *sim.Scenario) []leaving {
	count := int(s.Churn.Rate*s.Duration.Minutes()*float64(s.Nodes) + 0.5)
	if count == 0 {
		return nil
	}
	kill := s.Churn.Kill
	set(&kill, 1)
	r := random(s.Seed, forChurn)
	var out []leaving
	for i, node := range r.Perm(s.Nodes)[:min(count, s.Nodes)] {
		at := s.Warmup + time.Duration((float64(i)+r.Float64())/float64(count)*float64(s.Duration))
		out = append(out, leaving{node, at, at + s.Churn.Downtime, r.Float64() < kill})
	}
	return out
}

// partition is a time in which links between two sides are silent.
type partition struct {
	from, to time.Duration // since the beginning of the warm-up
	small    map[int]bool  // the nodes of the small side
}

// partitions draws the sides.
func partitions(s *sim.Scenario) []partition {
	r := random(s.Seed, forSides)
	var out []partition
	for _, e := range s.Events {
		at := s.Warmup + e.At
		p := partition{at, at + e.For, make(map[int]bool)}
		for _, i := range r.Perm(s.Nodes)[:int(e.Share*float64(s.Nodes)+0.5)] {
			p.small[i] = true
		}
		out = append(out, p)
	}
	return out
}
