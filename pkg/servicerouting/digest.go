package servicerouting

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"

	"github.com/meshnode/meshnode/pkg/servicerouting/router"
)

// digester makes the keys of the seen-set: GMAC (NIST SP 800-38D) under a key
// drawn at start, used as a universal hash. Keys never leave the node, so
// nobody can make two frames collide on purpose, and it costs a tenth of a
// cryptographic hash.
type digester struct{ aead cipher.AEAD }

func newDigester() (digester, error) {
	var key [16]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return digester{}, err
	}
	aead, err := cipher.NewGCM(block)
	return digester{aead}, err
}

var noNonce [12]byte

// sum digests what follows the hop header. buf is scratch of 16 bytes, so
// that the fast path allocates nothing.
func (d digester) sum(b []byte, buf []byte) router.Key {
	out := d.aead.Seal(buf[:0], noNonce[:], nil, b)
	return router.Key{binary.LittleEndian.Uint64(out), binary.LittleEndian.Uint64(out[8:])}
}
