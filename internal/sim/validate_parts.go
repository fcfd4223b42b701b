package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

func (v *Service) validate(c *checks, field string, s *Scenario) {
	or(&v.Count, 1)
	within(c, field+".count", v.Count, 1, 1<<20)
	if err := mesh.ValidName("service name", numbered(v.Name, 0)); err != nil {
		c.fail("%s.name is %q: %w", field, v.Name, err)
	}
	if v.Count > 1 && !strings.Contains(v.Name, "#") {
		c.fail("%s.name is %q: need a # in it, since count is %d", field, v.Name, v.Count)
	}
	if v.Share == 0 {
		or(&v.Providers, 1)
	}
	within(c, field+".providers", v.Providers, 0, s.Nodes)
	within(c, field+".share", v.Share, 0, 1)
	s.region(c, field+".region", v.Region)
	for _, k := range sorted(v.Attributes) {
		for _, one := range strings.Split(v.Attributes[k], "|") {
			if err := mesh.ValidAttributes(mesh.Attributes{k: one}); err != nil {
				c.fail("%s.attributes.%s is %q: %w", field, k, v.Attributes[k], err)
			}
		}
	}
	h := &v.Handler
	or(&h.Concurrency, 64)
	or(&h.Queue, 256)
	within(c, field+".handler.time", h.Time, 0, time.Hour)
	within(c, field+".handler.spread", h.Spread, 0, time.Hour)
	within(c, field+".handler.concurrency", h.Concurrency, 1, 1<<16)
	within(c, field+".handler.queue", h.Queue, 1, 1<<20)
	within(c, field+".handler.fails", h.Fails, 0, 1)
	within(c, field+".slow", v.Slow, 0, s.Nodes)
	within(c, field+".slowTime", v.SlowTime, 0, time.Hour)
}

func (t *Traffic) validate(c *checks, field string, s *Scenario) {
	or(&t.Draw, "node")
	or(&t.Names, 1)
	or(&t.From, 1)
	or(&t.Mode, "one")
	or(&t.Class, "confirm")
	or(&t.Size, 128)
	or(&t.Deadline, mesh.DefaultLifetime)
	or(&t.Ramp, s.Warmup)
	if t.To != anyNode {
		a, err := mesh.ParseAddress(numbered(t.To, 0))
		switch {
		case err != nil:
			c.fail("%s.to is %q: %w", field, t.To, err)
		case a.Kind != mesh.KindService:
			c.fail("%s.to is %q: need the address of a service, or node:#, which draws one of the nodes", field, t.To)
		case !s.serves(a.Name):
			c.fail("%s.to is %q: no service of that name is in services", field, t.To)
		}
	} else if t.Mode == "all" || t.Class != "confirm" {
		c.fail("%s.to is node:#: need mode one and class confirm", field)
	}
	oneOf(c, field+".draw", t.Draw, []string{"node", "message"})
	oneOf(c, field+".mode", t.Mode, []string{"one", "all"})
	oneOf(c, field+".class", t.Class, []string{"confirm", "fire"})
	within(c, field+".names", t.Names, 1, 1<<16)
	within(c, field+".skew", t.Skew, 0, 10)
	within(c, field+".from", t.From, 0.0000001, 1)
	within(c, field+".rate", t.Rate, 0, 1e6)
	within(c, field+".size", t.Size, 0, mesh.MaxPayload)
	within(c, field+".deadline", t.Deadline, time.Millisecond, mesh.MaxLifetime)
	within(c, field+".start", t.Start, 0, maxDuration)
	within(c, field+".ramp", t.Ramp, 0, maxDuration)
	within(c, field+".stop", t.Stop, 0, maxDuration)
	s.region(c, field+".region", t.Region)
}

// serves tells whether a service of that name is described, by itself or in a
// run of names.
func (s *Scenario) serves(name string) bool {
	for i := range s.Services {
		v := &s.Services[i]
		head, tail, run := strings.Cut(v.Name, "#")
		if !run && v.Name == name {
			return true
		}
		middle, ok := strings.CutPrefix(name, head)
		if middle, ok2 := strings.CutSuffix(middle, tail); run && ok && ok2 {
			if c, err := strconv.Atoi(middle); err == nil && c >= 0 && c < v.Count {
				return true
			}
		}
	}
	return false
}

func (h *Churn) validate(c *checks, nodes int) {
	or(&h.Kill, 1)
	if h.Rate > 0 {
		or(&h.Downtime, 30*time.Second)
	}
	within(c, "churn.rate", h.Rate, 0, 60)
	within(c, "churn.downtime", h.Downtime, 0, maxDuration)
	within(c, "churn.kill", h.Kill, 0, 1)
	for i := range h.Trace {
		within(c, fmt.Sprintf("churn.trace[%d].node", i), h.Trace[i].Node, 0, nodes-1)
		within(c, fmt.Sprintf("churn.trace[%d].at", i), h.Trace[i].At, 0, maxDuration)
		within(c, fmt.Sprintf("churn.trace[%d].for", i), h.Trace[i].For, 0, maxDuration)
	}
}

func (e *Event) validate(c *checks, field string, s *Scenario) {
	oneOf(c, field+".what", e.What, happenings)
	within(c, field+".at", e.At, 0, s.Duration)
	within(c, field+".for", e.For, 0, maxDuration)
	within(c, field+".share", e.Share, 0, 10)
	s.region(c, field+".region", e.Region)
	switch e.What {
	case "partition":
		if e.Share == 0 && e.Region == "" {
			c.fail("%s is a partition without share and region: need one of them", field)
		}
		within(c, field+".share", e.Share, 0, 1)
	case "cut", "silence":
		within(c, field+".share", e.Share, 0.0000001, 1)
	case "kill":
		if e.Service != "" {
			or(&e.Share, 1)
			if !s.serves(numbered(e.Service, 0)) {
				c.fail("%s.service is %q: no service of that name is in services", field, e.Service)
			}
		}
		within(c, field+".share", e.Share, 0.0000001, 1)
	case "crowd":
		within(c, field+".factor", e.Factor, 0.0000001, 1e6)
		if e.Traffic != "" && !slices.ContainsFunc(s.Traffic, func(t Traffic) bool { return t.Name == e.Traffic }) {
			c.fail("%s.traffic is %q: no traffic of that name is in traffic", field, e.Traffic)
		}
	case "join":
		within(c, field+".share", e.Share, 0.0000001, 10)
	}
}

func (a *Attacker) validate(c *checks, field string, s *Scenario) {
	oneOf(c, field+".kind", a.Kind, sorted(attackKinds))
	within(c, field+".share", a.Share, 0, 0.9)
	within(c, field+".count", a.Count, 0, s.Nodes-1)
	if a.Share == 0 && a.Count == 0 {
		c.fail("%s has neither share nor count: need one of them", field)
	}
	within(c, field+".strength", a.Strength, 0, 1e6)
	if a.Service != "" && !s.serves(numbered(a.Service, 0)) {
		c.fail("%s.service is %q: no service of that name is in services", field, a.Service)
	}
}
