package router

import "math/bits"

// seen remembers frame keys with the largest TTL they came with. Two
// generations of open-addressed tables of fixed cost: when the younger is
// full the older is forgotten. What is pushed out early can at worst be
// forwarded again, within its TTL; effects are guarded by the ledger.
type seen struct {
	young, old table
	max        int
}

type table struct {
	keys []Key
	ttls []uint8 // 0: the slot is free
	n    int
}

const firstTable = 32

func newSeen(limit int) *seen { return &seen{max: limit, young: newTable(firstTable)} }

func newTable(size int) table {
	return table{keys: make([]Key, size), ttls: make([]uint8, size)}
}

// mix folds the attempt and the reroute nonce into a frame's key, so that a
// retry is never taken for a duplicate.
func mix(k Key, attempt uint8, nonce uint32) Key {
	x := (uint64(nonce)<<8 | uint64(attempt)) * 0x9e3779b97f4a7c15
	return Key{k[0] ^ x, k[1] + bits.RotateLeft64(x, 31)}
}

// get gives the TTL the key was marked with, 0 when it was not.
func (s *seen) get(k Key) uint8 {
	if t := s.young.get(k); t > 0 {
		return t
	}
	return s.old.get(k)
}

// first marks the key unless it is known, and tells the TTL it was known with:
// 0 for a new one.
func (s *seen) first(k Key, ttl uint8) uint8 {
	if t := s.old.get(k); t > 0 {
		return t
	}
	i := s.young.slot(k)
	if t := s.young.ttls[i]; t > 0 {
		return t
	}
	if s.young.n*4 >= len(s.young.keys)*3 {
		s.mark(k, ttl)
		return 0
	}
	s.young.n++
	s.young.keys[i], s.young.ttls[i] = k, ttl
	return 0
}

// mark records the key with a TTL, which is at least 1.
func (s *seen) mark(k Key, ttl uint8) {
	if s.young.n*4 >= len(s.young.keys)*3 {
		if s.young.n >= s.max {
			s.old = s.young
			s.young = newTable(len(s.old.keys))
		} else {
			s.young = s.young.grown()
		}
	}
	s.young.put(k, ttl)
}

// slot finds the place of k, or the free one where it would go.
func (t *table) slot(k Key) int {
	mask := len(t.keys) - 1
	i := int(k[0]) & mask
	for t.ttls[i] > 0 && t.keys[i] != k {
		i = (i + 1) & mask
	}
	return i
}

func (t *table) get(k Key) uint8 {
	if len(t.keys) == 0 {
		return 0
	}
	return t.ttls[t.slot(k)]
}

func (t *table) put(k Key, ttl uint8) {
	i := t.slot(k)
	if t.ttls[i] == 0 {
		t.n++
	}
	t.keys[i], t.ttls[i] = k, ttl
}

func (t *table) grown() table {
	g := newTable(2 * len(t.keys))
	for i, ttl := range t.ttls {
		if ttl > 0 {
			g.put(t.keys[i], ttl)
		}
	}
	return g
}
