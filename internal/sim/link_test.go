package sim

import (
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// TestOrder: whatever jitter and loss do, a stream keeps its order.
func TestOrder(t *testing.T) {
	s := build(t, &Scenario{
		Nodes: 2, Topology: Topology{Kind: "line"}, Services: []Service{{Name: "svc"}},
		Link: Link{Latency: 10 * time.Millisecond, Jitter: 2, Loss: 0.2},
	})
	last, delayed := int64(0), 0
	for range 1000 {
		s.put(0, flight{carries: carriesGraft}, graftSize, true)
		f := &s.flights.all[s.ends[0].out[0].tail]
		if f.at < last {
			t.Fatalf("a frame arrives at %d, the one before it at %d", f.at, last)
		}
		if f.at > s.now+int64(rto) {
			delayed++
		}
		last = f.at
	}
	if delayed == 0 {
		t.Error("nothing was lost and sent again")
	}
}

// TestBandwidth: a link that is slow delays what is queued on it and refuses
// what is too much, and answers pass in front.
func TestBandwidth(t *testing.T) {
	s := build(t, &Scenario{
		Nodes: 2, Topology: Topology{Kind: "line"}, Services: []Service{{Name: "svc"}},
		Link: Link{Latency: 10 * time.Millisecond, Bandwidth: 1000, MaxQueue: 4096},
	})
	m := s.newMsg(0, s.nodeAddrOf(1), mesh.TypeData, time.Minute)
	frame := flight{carries: carriesFrame, msg: m.index, bound: 1, seq: 1}
	took := 0
	for s.put(0, frame, 1000, false) {
		took++
	}
	if took != 4 {
		t.Errorf("%d frames of a second each were taken, want 4", took)
	}
	if got, want := s.ends[0].out[0].last, s.now+int64(4*time.Second+10*time.Millisecond); got != want {
		t.Errorf("the last one arrives at %v, want %v", time.Duration(got), time.Duration(want))
	}
	if !s.put(0, frame, 1000, true) {
		t.Error("a frame of the node itself does not wait beside the queue")
	}
	s.put(0, flight{carries: carriesAnswer, msg: nobody}, 100, true)
	if got, want := s.ends[0].out[1].last, s.now+int64(110*time.Millisecond); got != want {
		t.Errorf("an answer arrives at %v, want %v", time.Duration(got), time.Duration(want))
	}
}

// TestKeep: what a link keeps for a resend is bounded in number and time.
func TestKeep(t *testing.T) {
	s := build(t, &Scenario{Nodes: 2, Topology: Topology{Kind: "line"}, Services: []Service{{Name: "svc"}}})
	m := s.newMsg(0, s.nodeAddrOf(1), mesh.TypeData, time.Minute)
	for seq := uint64(1); seq <= 1000; seq++ {
		s.keep(0, seq, m)
	}
	if m.refs != 1+keepMost || s.keptBy(0, 1000) != m || s.keptBy(0, 1000-keepMost) != nil {
		t.Errorf("%d references, newest %v, too old %v", m.refs, s.keptBy(0, 1000), s.keptBy(0, 1000-keepMost))
	}
	s.now += int64(keepFor) + 1
	if s.keptBy(0, 1000) != nil {
		t.Error("kept for too long")
	}
	s.forgetKept(0)
	if m.refs != 1 {
		t.Errorf("%d references when all is forgotten, want 1", m.refs)
	}
}
