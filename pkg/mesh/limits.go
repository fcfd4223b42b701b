package mesh

import "time"

// The limits of the wire. A node may be stricter, never laxer.
const (
	// Version of the envelope and of the link protocol.
	Version = 1
	// MaxTTL is the largest number of hops, and the default.
	MaxTTL = 10
	// MaxPayload is the largest payload of a message, in bytes.
	MaxPayload = 1 << 20
	// MaxEnvelope is the largest encoded envelope: payload, headers, the rest.
	MaxEnvelope = MaxPayload + 32<<10
	// MaxProof is the largest proof, in bytes.
	MaxProof = 1 << 10
	// MaxHeaders is the largest number of application headers.
	MaxHeaders = 64
	// MaxHeaderBytes is the largest size of all headers together.
	MaxHeaderBytes = 16 << 10
	// MaxName is the longest service, group or network name.
	MaxName = 128
	// MaxAttributes is the largest number of attributes of a record.
	MaxAttributes = 64
	// MaxAttribute is the longest attribute value, in bytes; of a list, with
	// its brackets.
	MaxAttribute = 256
	// MaxSelector is the longest selector, in bytes without braces.
	MaxSelector = 1 << 10
	// MaxTests is the largest number of tests in a selector.
	MaxTests = 64
	// MaxDepth is how many ( and ! of a selector may be within one another.
	MaxDepth = 16
	// MaxPreferences is the largest number of preferences in a selector, so
	// that a rank by them fits 16 bits.
	MaxPreferences = 16
	// MaxRecord is the largest encoded service record.
	MaxRecord = 8 << 10
	// MaxDetail is the longest sentence in a receipt or a refusal.
	MaxDetail = 512
	// MaxLifetime is the longest time between created and expires.
	MaxLifetime = 10 * time.Minute
	// MaxStoredLifetime is the same for class stored.
	MaxStoredLifetime = 7 * 24 * time.Hour
	// ClockTolerance is how far two clocks may differ.
	ClockTolerance = 2 * time.Minute
	// DefaultLifetime of a message whose sender set no deadline.
	DefaultLifetime = 30 * time.Second
)
