package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/meshnode/meshnode"
)

// journal keeps what handlers saw and what senders were told, over all lives
// of an instance's node.
type journal struct {
	mu     sync.Mutex
	sights map[sightKey]*sight
	words  []word
	finds  []float64
	missed int // searches that found nobody
	downs  []span
	linked float64 // ms until the links were back after a partition
}

type sightKey struct {
	id   string
	life int
}

// filler is what payloads are made of, so that a change of any byte is seen.
const filler = "0123456789abcdef"

// payload makes a payload of a size.
func payload(size int) []byte {
	return bytes.Repeat([]byte(filler), size/len(filler)+1)[:size]
}

// handler notes each message, and replies with its ID.
func (j *journal) handler(life int) meshnode.Handler {
	return func(_ context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		id := m.ID.String()
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.sights == nil {
			j.sights = make(map[sightKey]*sight)
		}
		s := j.sights[sightKey{id, life}]
		if s == nil {
			s = &sight{ID: id, Life: life, Hops: m.Hops}
			j.sights[sightKey{id, life}] = s
		}
		s.Runs++
		if !bytes.Equal(m.Payload, payload(len(m.Payload))) {
			s.Bad = "came with another payload"
		}
		return meshnode.Text(id), nil
	}
}

func (j *journal) told(w word) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.words = append(j.words, w)
}

func (j *journal) searched(took float64, found bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if found {
		j.finds = append(j.finds, took)
	} else {
		j.missed++
	}
}

func (j *journal) down(s span) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.downs = append(j.downs, s)
}

func (j *journal) relinked(took float64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.linked = took
}

// fill copies the journal into a report.
func (j *journal) fill(r *report) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.sights {
		r.Sights = append(r.Sights, *s)
	}
	slices.SortFunc(r.Sights, func(a, b sight) int { return strings.Compare(a.ID, b.ID) })
	r.Words, r.Finds, r.Downs = slices.Clone(j.words), slices.Clone(j.finds), slices.Clone(j.downs)
	r.Restarts, r.Relinked, r.NotFound = len(r.Downs), j.linked, j.missed
}
