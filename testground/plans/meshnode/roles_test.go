package main

import (
	"slices"
	"testing"
)

func TestRoles(t *testing.T) {
	p := params{seed: 1, services: 10, share: .04, partition: .3}
	r := drawRoles(50, p)
	for s, at := range r.providers {
		if len(at) != 2 || !slices.IsSorted(at) || at[0] == at[1] {
			t.Errorf("%s is served by %v: want two instances", serviceName(s), at)
		}
		for _, i := range at {
			if !slices.Contains(r.served(i), s) {
				t.Errorf("instance %d does not list service %d", i, s)
			}
		}
	}
	small := 0
	for _, is := range r.small {
		if is {
			small++
		}
	}
	if small != 15 {
		t.Errorf("%d instances are on the small side, want 15", small)
	}
	for i := range 50 {
		targets := r.targets(i, 3)
		if len(targets) != 3 || slices.ContainsFunc(targets, func(s int) bool { return r.serves(i, s) }) {
			t.Errorf("instance %d sends to %v and serves %v", i, targets, r.served(i))
		}
	}
}

func TestProvidersByNumber(t *testing.T) {
	for _, c := range []struct{ providers, n, want int }{{3, 50, 3}, {9, 5, 5}, {0, 10, 1}} {
		r := drawRoles(c.n, params{services: 1, providers: c.providers, share: .02})
		if got := len(r.providers[0]); got != c.want {
			t.Errorf("%d providers asked of %d instances: %d", c.providers, c.n, got)
		}
		if r.cutOff(0, 1) {
			t.Error("a link is cut without a partition")
		}
	}
}

// TestOnlyOwnServices: an instance that serves everything sends to itself
// rather than to nobody.
func TestOnlyOwnServices(t *testing.T) {
	r := drawRoles(1, params{services: 2, providers: 1})
	if got := r.targets(0, 1); len(got) != 1 {
		t.Errorf("targets %v, want one", got)
	}
}

func TestSends(t *testing.T) {
	r := drawRoles(1000, params{seed: 1, services: 1})
	count := 0
	for i := range 1000 {
		if r.sends(i, .2) {
			count++
		}
	}
	if count < 150 || count > 250 {
		t.Errorf("%d of 1000 send, want about 200", count)
	}
	if !r.sends(0, 0) || r.sends(1, 0) || !r.sends(7, 1) {
		t.Error("with a share of 0 the first alone sends, with 1 all do")
	}
}
