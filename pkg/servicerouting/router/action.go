package router

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// Port names a link; numbers are never reused in the life of a router.
type Port uint64

// Key is a digest of 128 bits over an envelope and its proof, made by the
// caller with whatever keyed hash it likes: it never leaves the node.
type Key [2]uint64

// Frame is a frame that came in by a link.
type Frame struct {
	Hop  mesh.RawHop
	View mesh.View
	Key  Key
	Ref  int // the caller's handle on the bytes, given back in actions
}

// Op tells what an action demands.
type Op uint8

// The actions.
const (
	// OpSend: send the bytes of frame Ref (or of Tag, when Tag is set) by Port
	// with header Hop. When the link refuses, call Refused.
	OpSend Op = iota + 1
	// OpResend: send again by Port the bytes once sent as OldSeq by OldPort.
	// When they are gone, or the link refuses, call Refused.
	OpResend
	// OpAnswer: send Answer by Port.
	OpAnswer
	// OpVerify: check the proof of frame Ref that came by Port, and call
	// Verified when it is good.
	OpVerify
	// OpDeliver: give frame Ref (or Tag) to this node's handlers of Address
	// after checking its proof; call Answered or Reply with Token in the end.
	OpDeliver
	// OpCheck: Answer, which came by Port, speaks to a publication of this
	// node; check its body and call Checked.
	OpCheck
	// OpStray: Answer came for an entry that is gone. When its body is a
	// signed receipt, it goes on to the receipt's origin as a message.
	OpStray
	// OpProbe: make a probe envelope for Address with TTL, and call SendProbe
	// with the number Probe.
	OpProbe
	// OpNews: Outcome is news of Pub; the last one is Final.
	OpNews
	// OpGraft: send a graft for Service (empty: all) by Port.
	OpGraft
)

// Action is one thing for the caller to do.
type Action struct {
	Op      Op
	Lane    uint8 // of OpSend and OpResend: the priority
	Local   bool  // of OpSend: a publication of this node
	Port    Port
	Ref     int
	Tag     any
	Hop     mesh.HopHeader
	OldPort Port
	OldSeq  uint64
	Answer  mesh.Answer
	Token   Token
	Service string
	Pub     *Pub
	Outcome Outcome
	Probe   uint64
	Address mesh.Address
	TTL     uint8
}

// Outcome is what is known of a publication.
type Outcome struct {
	Status   mesh.Status
	Provider peer.ID
	Hops     uint8
	RTT      time.Duration
	Attempts int
	Detail   string
	Body     any  // what the caller gave to Checked, Answered or Replied
	Final    bool // nothing more will come
}

// Token stands for one delivery to a handler; it says where the answer goes.
type Token struct {
	in   *port
	seq  uint64
	pub  *Pub
	br   *branch
	fire bool
	hops uint8
	// Origin of the message, and its class and type.
	Origin peer.ID
	Hop    mesh.HopHeader
	From   Port // 0 for a publication of this node
}

// HopCount is the number of crossings that the message took to get here.
func (t *Token) HopCount() int { return int(t.hops) }
