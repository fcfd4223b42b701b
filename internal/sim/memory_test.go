package sim

import (
	"runtime"
	"testing"
	"time"
)

// heap is the live heap in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryPerNode bounds what a node costs: at rest, with its router and
// eight links, and after a while of traffic, with all that is on its way and all
// that its router has learned.
func TestMemoryPerNode(t *testing.T) {
	const nodes = 2000
	sc := &Scenario{
		Nodes: nodes, Duration: 10 * time.Second,
		Services: []Service{{Name: "svc-#", Count: 10, Share: 0.01}}, Traffic: []Traffic{{To: "svc-#", Rate: 1}},
	}
	before := heap()
	s := build(t, sc)
	rest := (heap() - before) / nodes
	for s.now < s.end {
		s.step()
	}
	busy := (heap() - before) / nodes
	t.Logf("%d bytes a node at rest, %d with traffic", rest, busy)
	if most := [2]int64{16 << 10, 112 << 10}; rest > most[0] || busy > most[1] {
		t.Errorf("%d bytes a node at rest, %d with traffic: want at most %v", rest, busy, most)
	}
	runtime.KeepAlive(s)
}
