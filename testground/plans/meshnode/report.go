package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// report is what one instance has to tell when its part is over.
type report struct {
	Instance int     `json:"i"`
	Peer     string  `json:"peer"` // its node's peer ID, the same after a restart
	Words    []word  `json:"words"`
	Sights   []sight `json:"sights"`
	Downs    []span  `json:"downs,omitempty"` // when its node was stopped
	Restarts int     `json:"restarts,omitempty"`
	// Finds are the times, in ms, of first searches that found a provider.
	Finds    []float64 `json:"finds,omitempty"`
	NotFound int       `json:"notFound,omitempty"`
	// Relinked is how long, in ms, the links took to come back after a partition.
	Relinked float64          `json:"relinked,omitempty"`
	Phases   map[string]phase `json:"phases"`
	Probes   uint64           `json:"probes"` // rings of probes sent by its nodes
	CPU      float64          `json:"cpu"`    // seconds of the process
	Memory   float64          `json:"memory"` // MiB, the most the process held
}

// Flows of messages.
const (
	flowConfirm = "confirm" // one provider, a receipt
	flowRequest = "request" // one provider, a reply
	flowAll     = "all"     // every provider, a receipt each
)

// warmup is the phase whose messages are judged, but are in no figure.
const warmup = "warmup"

// word is what a sender was told of one message.
type word struct {
	ID      string      `json:"id"`
	Flow    string      `json:"flow"`
	Phase   string      `json:"phase"` // of the case; warmup is in no figure
	Service int         `json:"to"`
	Status  mesh.Status `json:"st"`
	By      []told      `json:"by,omitempty"`    // who is said to have handled it
	At      float64     `json:"at"`              // ms from the case's start to the sending
	Took    float64     `json:"took"`            // ms until the word came
	Tries   int         `json:"tries,omitempty"` // sendings, when it was told
	Why     string      `json:"why,omitempty"`
	Bad     string      `json:"bad,omitempty"` // what is wrong with the reply
}

// told names a provider that is said to have handled a message.
type told struct {
	Peer string `json:"p"`
}

// end is when the word came.
func (w *word) end() float64 { return w.At + w.Took }

// sight is what a handler saw of one message.
type sight struct {
	ID   string `json:"id"`
	Life int    `json:"life"` // of the node: 0, and one more after each restart
	Hops int    `json:"hops"` // crossings it had made
	Runs int    `json:"runs"` // of the handler, in that life
	Bad  string `json:"bad,omitempty"`
}

// span is a time, in ms from the case's start.
type span struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// maxReport bounds a report that is unpacked: a million words.
const maxReport = 256 << 20

// pack makes a report small enough to be passed in a few pieces.
func (r *report) pack() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(r); err != nil {
		return nil, fmt.Errorf("pack a report: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack a report: %w", err)
	}
	return b.Bytes(), nil
}

func unpackReport(b []byte) (*report, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("unpack a report: %w", err)
	}
	r := new(report)
	if err := json.NewDecoder(io.LimitReader(z, maxReport)).Decode(r); err != nil {
		return nil, fmt.Errorf("unpack a report: %w", err)
	}
	return r, nil
}
