package sim

// blackhole answers probes for everything and swallows every payload that
// comes to it, bound to it or not. Its links stay alive.
type blackhole struct{ honest }

func (b *blackhole) start(s *sim) {
	for _, i := range b.nodes {
		for _, name := range s.targets(b.Attacker) {
			s.lure(i, name)
		}
	}
}

func (b *blackhole) comes(s *sim, _, _ int32, f *flight) bool { return !s.payload(f) }
