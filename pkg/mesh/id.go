package mesh

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ID names one message: a UUIDv7 (RFC 9562).
type ID [16]byte

// NewID draws an ID that sorts by time.
func NewID() ID {
	u, err := uuid.NewV7()
	if err != nil { // only when the system has no randomness
		panic(err)
	}
	return ID(u)
}

// ParseID reads the usual text form.
func ParseID(s string) (ID, error) {
	u, err := uuid.Parse(s)
	if err != nil {
		return ID{}, fmt.Errorf("message id %q: %w", s, ErrMalformed)
	}
	return ID(u), nil
}

// String is the usual text form, 36 characters.
func (id ID) String() string { return uuid.UUID(id).String() }

// IsZero reports that the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// Network is the key hash of a network: its name, and its key when it has
// one, hashed. Two networks of one name and different keys differ.
type Network [16]byte

// NetworkOf hashes a network's name and pre-shared key (nil when open):
// the first 16 bytes of SHA-256 over a domain prefix, the name's length as
// four big-endian bytes, the name, and the key.
func NetworkOf(name string, key []byte) Network {
	h := sha256.New()
	h.Write([]byte("meshnode-network-v1:"))
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(name)))
	h.Write(n[:])
	h.Write([]byte(name))
	h.Write(key)
	var out Network
	copy(out[:], h.Sum(nil))
	return out
}

// String is the hash in hexadecimal.
func (n Network) String() string { return hex.EncodeToString(n[:]) }

// Time is a moment in Unix milliseconds, as the wire carries it.
type Time int64

// TimeOf rounds t down to the millisecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Std is the moment as a time.Time.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)) }
