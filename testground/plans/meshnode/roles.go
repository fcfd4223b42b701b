package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// roles say who serves what and who is on which side of a partition: drawn
// from the seed, so that every instance knows all of them.
type roles struct {
	seed      uint64
	providers [][]int // instances that serve each service, sorted
	small     []bool  // instances on the small side; nil without a partition
}

func drawRoles(n int, p params) roles {
	r := roles{seed: uint64(p.seed)}
	random := rand.New(rand.NewPCG(r.seed, 2))
	each := p.providers
	if each == 0 {
		each = max(1, int(math.Round(p.share*float64(n))))
	}
	for range p.services {
		at := random.Perm(n)[:min(each, n)]
		slices.Sort(at)
		r.providers = append(r.providers, at)
	}
	if p.partition > 0 {
		r.small = make([]bool, n)
		for _, i := range random.Perm(n)[:max(1, int(p.partition*float64(n)))] {
			r.small[i] = true
		}
	}
	return r
}

// serves tells whether an instance serves a service.
func (r roles) serves(instance, service int) bool {
	_, found := slices.BinarySearch(r.providers[service], instance)
	return found
}

// served lists the services of an instance.
func (r roles) served(instance int) []int {
	var out []int
	for s := range r.providers {
		if r.serves(instance, s) {
			out = append(out, s)
		}
	}
	return out
}

// targets draws the services that an instance sends to: those it does not
// serve itself, as long as there are any.
func (r roles) targets(instance, count int) []int {
	var others, own []int
	for _, s := range rand.New(rand.NewPCG(r.seed, 1000+uint64(instance))).Perm(len(r.providers)) {
		if r.serves(instance, s) {
			own = append(own, s)
		} else {
			others = append(others, s)
		}
	}
	all := append(others, own...)
	return all[:min(count, len(all))]
}

// sends tells whether an instance is among the share of those that send; the
// first always is.
func (r roles) sends(instance int, share float64) bool {
	return instance == 0 || rand.New(rand.NewPCG(r.seed, 1<<32+uint64(instance))).Float64() < share
}

// cutOff tells whether a partition severs the link of two instances.
func (r roles) cutOff(a, b int) bool { return r.small != nil && r.small[a] != r.small[b] }

// serviceName is what messages are addressed to.
func serviceName(service int) string { return fmt.Sprintf("svc-%d", service) }
