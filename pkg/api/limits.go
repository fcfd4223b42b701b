package api

import (
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Version is the apiVersion of every JSON object.
const Version = "v1"

// The limits of the server.
const (
	// MaxStreams is how many subscriptions and workers one server holds.
	MaxStreams = 256
	// MaxBodies is how many bytes of request bodies it holds at one time.
	MaxBodies = 64 << 20
	// MaxConns is how many connections one listener holds.
	MaxConns = 512
	// MaxBuffer is the largest subscription buffer, in messages.
	MaxBuffer = 4096
	// MaxConcurrency is the most work items one worker may hold.
	MaxConcurrency = 1024
	// MaxGather is the most providers that one request may ask by number, and
	// the largest quorum.
	MaxGather = 64
	// StallTimeout is how long a reader may take nothing.
	StallTimeout = 30 * time.Second

	defaultBuffer      = 256
	defaultConcurrency = 16
	maxHeaderBytes     = 64 << 10
	headerTimeout      = 5 * time.Second
	bodyTimeout        = 30 * time.Second
	idleTimeout        = 2 * time.Minute
	// maxLine fits a full payload: base64 adds a third, escapes double it.
	maxLine = 4*mesh.MaxPayload + 64<<10
	// maxObject is the largest JSON object the client reads.
	maxObject = 16 << 20
	// maxGathered fits MaxGather full replies.
	maxGathered = MaxGather * maxLine
)
