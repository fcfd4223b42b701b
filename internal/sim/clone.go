package sim

import "slices"

// clone copies what Validate and a run write to.
func (s *Scenario) clone() *Scenario {
	c := *s
	c.Topology.Regions = slices.Clone(s.Topology.Regions)
	c.Services, c.Traffic = slices.Clone(s.Services), slices.Clone(s.Traffic)
	c.Events, c.Attackers = slices.Clone(s.Events), slices.Clone(s.Attackers)
	return &c
}
