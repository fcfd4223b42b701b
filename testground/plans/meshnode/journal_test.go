package main

import (
	"context"
	"slices"
	"testing"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestJournal(t *testing.T) {
	var j journal
	id := mesh.NewID()
	first, second := j.handler(0), j.handler(1)
	for _, h := range []meshnode.Handler{first, first, second} {
		r, err := h(context.Background(), &meshnode.Message{ID: id, Hops: 3, Payload: payload(40)})
		if err != nil || string(r.Payload) != id.String() {
			t.Fatalf("reply %q, %v", r.Payload, err)
		}
	}
	bad := payload(40)
	bad[39] ^= 1
	if _, err := second(context.Background(), &meshnode.Message{ID: mesh.NewID(), Payload: bad}); err != nil {
		t.Fatal(err)
	}
	j.told(word{ID: id.String()})
	j.down(span{1, 2})

	var r report
	j.fill(&r)
	packed, err := r.pack()
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackReport(packed)
	if err != nil {
		t.Fatal(err)
	}
	runs := make(map[int]int)
	for _, s := range got.Sights {
		if s.ID == id.String() {
			runs[s.Life] = s.Runs
		}
	}
	if len(got.Sights) != 3 || runs[0] != 2 || runs[1] != 1 {
		t.Errorf("sights %+v: want 2 runs in life 0 and 1 in life 1, and the bad one", got.Sights)
	}
	if !slices.ContainsFunc(got.Sights, func(s sight) bool { return s.Bad != "" }) {
		t.Error("a payload with a changed bit was not noticed")
	}
	if len(got.Words) != 1 || got.Restarts != 1 {
		t.Errorf("report %+v", got)
	}
}

func TestUnpackReportRefusesJunk(t *testing.T) {
	if _, err := unpackReport([]byte("junk")); err == nil {
		t.Error("junk was unpacked")
	}
	var r report
	b, err := r.pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpackReport(b[:len(b)/2]); err == nil {
		t.Error("half a report was unpacked")
	}
}
