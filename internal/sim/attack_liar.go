package sim

// liar claims to be one hop from everybody: what it passes on looks as if it
// had begun at its neighbour's, so that ways through it look short.
type liar struct{ honest }

func (l *liar) leaves(s *sim, _, _ int32, f *flight) bool {
	switch f.carries {
	case carriesAnswer:
		f.hops = 0
	case carriesFrame:
		f.hops = min(f.hops, 1)
	}
	return true
}
