package mesh

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// View is what a relay reads of an envelope: enough to route it, found
// without allocation. The slices are parts of the envelope's bytes.
type View struct {
	ID          ID
	Origin      []byte
	Network     Network
	Address     []byte
	Mode        Mode
	Class       Class
	Type        Type
	Correlation ID
	Created     Time
	Expires     Time
	TTL         uint8
}

// ParseView reads the fields that relays need. It refuses what no version of
// the protocol allows; unknown fields are skipped.
func ParseView(b []byte) (View, error) {
	var v View
	if len(b) > MaxEnvelope {
		return v, fmt.Errorf("envelope of %d bytes: %w", len(b), ErrTooLarge)
	}
	var version, mode, class, typ, ttl uint64
	for rest := b; len(rest) > 0; {
		num, wt, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return v, errEnvelope
		}
		rest = rest[n:]
		switch wt {
		case protowire.VarintType:
			x, n := protowire.ConsumeVarint(rest)
			if n < 0 {
				return v, errEnvelope
			}
			rest = rest[n:]
			switch num {
			case 1:
				version = x
			case 6:
				mode = x
			case 7:
				class = x
			case 8:
				typ = x
			case 13:
				v.Created = Time(x)
			case 14:
				v.Expires = Time(x)
			case 15:
				ttl = x
			}
		case protowire.BytesType:
			x, n := protowire.ConsumeBytes(rest)
			if n < 0 {
				return v, errEnvelope
			}
			rest = rest[n:]
			switch num {
			case 2:
				if len(x) != len(v.ID) {
					return v, errEnvelope
				}
				copy(v.ID[:], x)
			case 3:
				v.Origin = x
			case 4:
				if len(x) != len(v.Network) {
					return v, errEnvelope
				}
				copy(v.Network[:], x)
			case 5:
				v.Address = x
			case 12:
				if len(x) != len(v.Correlation) {
					return v, errEnvelope
				}
				copy(v.Correlation[:], x)
			}
		default:
			n := protowire.ConsumeFieldValue(num, wt, rest)
			if n < 0 {
				return v, errEnvelope
			}
			rest = rest[n:]
		}
	}
	switch {
	case version != Version:
		return v, errVersion
	case v.ID.IsZero(), !validPeer(v.Origin), len(v.Address) == 0,
		mode == 0 || mode > 2, class == 0 || class > 3, typ == 0 || typ > 255,
		ttl == 0 || ttl > MaxTTL, v.Created <= 0, v.Expires <= v.Created,
		v.Expires-v.Created > Time(lifetime(Class(class)).Milliseconds()):
		return v, errEnvelope
	}
	v.Mode, v.Class, v.Type, v.TTL = Mode(mode), Class(class), Type(typ), uint8(ttl)
	return v, nil
}

// Made once, so that refusing junk costs no allocation.
var (
	errEnvelope = fmt.Errorf("envelope: %w", ErrMalformed)
	errVersion  = fmt.Errorf("envelope: %w", ErrVersion)
)

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
