package mesh

import (
	"crypto/sha256"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Domain separates what is signed: a signature made for one kind of
// statement says nothing about another.
type Domain string

// The domains.
const (
	DomainEnvelope Domain = "meshnode-envelope-v1:"
	DomainRecord   Domain = "meshnode-record-v1:"
	DomainReceipt  Domain = "meshnode-receipt-v1:"
)

// proofSignature is the kind byte of a proof that is a signature. Other kinds
// (a session's tag) have numbers of their own.
const proofSignature = 1

// Sign signs domain ‖ SHA-256(body).
func Sign(key crypto.PrivKey, d Domain, body []byte) ([]byte, error) {
	sig, err := key.Sign(signed(d, body))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return sig, nil
}

// Verify checks that p signed domain ‖ SHA-256(body); otherwise ErrBadProof.
func Verify(p peer.ID, d Domain, body, sig []byte) error {
	key, err := p.ExtractPublicKey()
	if err != nil {
		return fmt.Errorf("peer %s carries no public key: %w", p, ErrBadProof)
	}
	if ok, err := key.Verify(signed(d, body), sig); err != nil || !ok {
		return fmt.Errorf("signature is not of %s: %w", p, ErrBadProof)
	}
	return nil
}

func signed(d Domain, body []byte) []byte {
	sum := sha256.Sum256(body)
	return append([]byte(d), sum[:]...)
}

// SignEnvelope makes the proof that follows an encoded envelope.
func SignEnvelope(key crypto.PrivKey, envelope []byte) ([]byte, error) {
	sig, err := Sign(key, DomainEnvelope, envelope)
	if err != nil {
		return nil, err
	}
	return append([]byte{proofSignature}, sig...), nil
}

// VerifyEnvelope checks a proof against the origin that the envelope names.
// A proof of a kind not known here is ErrNeedSignature.
func VerifyEnvelope(origin peer.ID, envelope, proof []byte) error {
	if len(proof) == 0 {
		return fmt.Errorf("no proof: %w", ErrBadProof)
	}
	if proof[0] != proofSignature {
		return fmt.Errorf("proof of kind %d: %w", proof[0], ErrNeedSignature)
	}
	return Verify(origin, DomainEnvelope, envelope, proof[1:])
}
