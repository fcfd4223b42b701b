package sim

// dropper takes part in everything and drops some of the payloads that it
// should pass on.
type dropper struct{ honest }

func (d *dropper) leaves(s *sim, i, _ int32, f *flight) bool {
	if !s.payload(f) || s.msgs.at(f.msg).origin == i {
		return true
	}
	share := d.Strength
	if share == 0 {
		share = 1
	}
	return s.attack.Float64() >= share
}
