package transport

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

const (
	helloTimeout  = 5 * time.Second
	refusalLinger = 2 * time.Second // for the other side to read why
)

// writeMessage writes a length, four bytes big-endian, and a Hello or Welcome.
func writeMessage(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...))
	return err
}

func readMessage(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > mesh.MaxHello {
		return nil, fmt.Errorf("hello of %d bytes: %w", n, mesh.ErrTooLarge)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// handle answers the hello of a stream that a neighbour opened.
func (t *Transport) handle(s network.Stream) {
	if !t.enter() {
		s.Reset()
		return
	}
	defer t.wg.Done()
	select {
	case t.accept <- struct{}{}:
		defer func() { <-t.accept }()
	default:
		s.Reset()
		return
	}
	p := s.Conn().RemotePeer()
	s.SetDeadline(time.Now().Add(helloTimeout))
	b, err := readMessage(s)
	if err != nil {
		t.junk(s, p, err)
		return
	}
	hello, err := mesh.DecodeHello(b)
	if err != nil {
		t.junk(s, p, err)
		return
	}
	status, detail := t.judge(p, hello)
	if status != mesh.StatusOK {
		t.refuse(s, status, detail)
		return
	}
	if err := t.welcome(s, status, ""); err != nil {
		t.log.Debug("welcome not written", "peer", p, "err", err)
		s.Reset()
		return
	}
	s.SetDeadline(time.Time{})
	t.accepted(p, s, hello)
}

func (t *Transport) junk(s network.Stream, p peer.ID, err error) {
	t.counters.junk.Add(1)
	t.log.Debug("no hello", "peer", p, "err", err)
	s.Reset()
}

func (t *Transport) welcome(s network.Stream, status mesh.Status, detail string) error {
	w := mesh.Welcome{Status: status, Detail: detail, Instance: t.instance, Credit: t.cfg.Credit}
	b, err := w.Encode()
	if err != nil {
		return err
	}
	return writeMessage(s, b)
}

// refuse says why, lets the other side read it, and closes the connection.
func (t *Transport) refuse(s network.Stream, status mesh.Status, detail string) {
	t.counters.refused.Add(1)
	if t.welcome(s, status, detail) == nil && s.CloseWrite() == nil {
		s.SetReadDeadline(time.Now().Add(refusalLinger))
		io.CopyN(io.Discard, s, mesh.MaxHello) // until the other side closes
	}
	s.Reset()
	t.closeConn(s.Conn())
}

// judge decides on a neighbour's hello, and remembers a refusal.
func (t *Transport) judge(p peer.ID, h *mesh.Hello) (mesh.Status, string) {
	t.mu.Lock()
	n := t.neighbourLocked(p)
	switch {
	case !t.started:
		t.mu.Unlock()
		return mesh.StatusBusy, "this node is starting"
	case h.Version != mesh.Version:
		detail := fmt.Sprintf("this node speaks version %d of the link protocol, the other version %d: update the older one", mesh.Version, h.Version)
		t.refusedLocked(n, fmt.Errorf("%s: %w", detail, mesh.ErrVersion), longRefusal)
		t.mu.Unlock()
		t.tell("version/"+p.String(), fmt.Sprintf("neighbour %s is refused: %s", p, detail))
		return mesh.StatusVersion, detail
	case h.Network != t.network:
		detail := differ(t.cfg.Network, h.NetworkName)
		t.refusedLocked(n, fmt.Errorf("%s: %w", detail, mesh.ErrWrongNetwork), longRefusal)
		t.mu.Unlock()
		t.tell("network/"+p.String(), fmt.Sprintf("neighbour %s is refused: %s", p, detail))
		return mesh.StatusWrongNetwork, detail
	case p == t.self:
		t.mu.Unlock()
		t.tell("conflict/"+p.String(), fmt.Sprintf("another node uses the identity of this node (%s): give one of them its own identity file", p))
		return mesh.StatusConflict, "this node has the same identity: give one of the two its own identity file"
	case n.barred:
		t.mu.Unlock()
		return mesh.StatusDenied, "disconnected by the operator of this node, who may connect again"
	case n.up && n.in.hello.Instance != h.Instance:
		t.mu.Unlock()
		if t.cfg.Alive(p) {
			t.tell("conflict/"+p.String(), fmt.Sprintf("another node uses the identity of neighbour %s: give one of the two its own identity file", p))
			return mesh.StatusConflict, "another node with this identity is connected: give one of the two its own identity file, or wait some seconds if this is a restart"
		}
		return mesh.StatusOK, ""
	case t.fullLocked(n):
		t.mu.Unlock()
		return mesh.StatusBusy, fmt.Sprintf("this node has its %d links", t.profile.max)
	}
	t.mu.Unlock()
	return mesh.StatusOK, ""
}

func differ(ours, theirs string) string {
	if ours == theirs {
		return fmt.Sprintf("both networks are called %q but have different keys: compare the network keys", ours)
	}
	return fmt.Sprintf("this node is in network %q, the other in %q: give both the same network name and key", ours, theirs)
}

// hello opens a stream to a neighbour and introduces this node on it.
func (t *Transport) hello(p peer.ID) (network.Stream, *mesh.Welcome, error) {
	ctx, cancel := context.WithTimeout(t.ctx, helloTimeout)
	defer cancel()
	if t.host.Network().Connectedness(p) == network.Limited {
		ctx = network.WithAllowLimitedConn(ctx, linkReason)
	}
	s, err := t.host.NewStream(network.WithNoDial(ctx, linkReason), p, ProtocolID)
	if err != nil {
		return nil, nil, fmt.Errorf("open link with %s: %w", p, err)
	}
	w, err := t.introduce(s)
	if err != nil {
		s.Reset()
		if os.IsTimeout(err) { // nothing comes back: the connection is dead
			t.closeConn(s.Conn())
		}
		return nil, nil, fmt.Errorf("hello to %s: %w", p, err)
	}
	if w.Status != mesh.StatusOK {
		s.Reset()
		t.closeConn(s.Conn())
		return nil, w, nil
	}
	return s, w, s.SetDeadline(time.Time{})
}

func (t *Transport) introduce(s network.Stream) (*mesh.Welcome, error) {
	h := mesh.Hello{
		Version: mesh.Version, Network: t.network, NetworkName: t.cfg.Network, NodeName: t.cfg.NodeName,
		Features: t.cfg.Features, Instance: t.instance, Agent: t.cfg.Agent,
	}
	b, err := h.Encode()
	if err != nil {
		return nil, err
	}
	if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return nil, err
	}
	if err := writeMessage(s, b); err != nil {
		return nil, err
	}
	if b, err = readMessage(s); err != nil {
		return nil, err
	}
	return mesh.DecodeWelcome(b)
}
