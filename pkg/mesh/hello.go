package mesh

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/meshnode/meshnode/pkg/mesh/pb"
)

// Hello opens a link's stream; the connection beneath has authenticated the
// peer already.
type Hello struct {
	Version     uint32
	Network     Network
	NetworkName string
	NodeName    string
	Features    []string
	Instance    uint64 // drawn at each start of a node
	Agent       string
}

// Welcome answers a Hello.
type Welcome struct {
	Status   Status // StatusOK, or why not
	Detail   string
	Instance uint64
	Credit   uint64 // payload bytes that may be sent before the first grant
}

// MaxHello is the largest Hello or Welcome.
const MaxHello = 4 << 10

// Encode gives the Hello's bytes.
func (h *Hello) Encode() ([]byte, error) {
	return proto.Marshal(&pb.Hello{
		Version: h.Version, Network: h.Network[:], NetworkName: h.NetworkName, NodeName: h.NodeName,
		Features: h.Features, Instance: h.Instance, Agent: h.Agent,
	})
}

// DecodeHello reads a Hello.
func DecodeHello(b []byte) (*Hello, error) {
	var m pb.Hello
	if len(b) > MaxHello {
		return nil, fmt.Errorf("hello: %w", ErrTooLarge)
	}
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("hello: %w: %w", ErrMalformed, err)
	}
	if len(m.GetNetwork()) != 16 || len(m.GetNetworkName()) > MaxName || len(m.GetNodeName()) > MaxName {
		return nil, fmt.Errorf("hello: %w", ErrMalformed)
	}
	return &Hello{
		Version: m.GetVersion(), Network: Network(m.GetNetwork()), NetworkName: m.GetNetworkName(),
		NodeName: m.GetNodeName(), Features: m.GetFeatures(), Instance: m.GetInstance(), Agent: m.GetAgent(),
	}, nil
}

// Encode gives the Welcome's bytes.
func (w *Welcome) Encode() ([]byte, error) {
	return proto.Marshal(&pb.Welcome{Status: uint32(w.Status), Detail: Clip(w.Detail), Instance: w.Instance, Credit: w.Credit})
}

// DecodeWelcome reads a Welcome.
func DecodeWelcome(b []byte) (*Welcome, error) {
	var m pb.Welcome
	if len(b) > MaxHello {
		return nil, fmt.Errorf("welcome: %w", ErrTooLarge)
	}
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("welcome: %w: %w", ErrMalformed, err)
	}
	if m.GetStatus() == 0 || m.GetStatus() > 0xffff {
		return nil, fmt.Errorf("welcome: %w", ErrMalformed)
	}
	return &Welcome{Status: Status(m.GetStatus()), Detail: Clip(m.GetDetail()), Instance: m.GetInstance(), Credit: m.GetCredit()}, nil
}

// EncodeGraft gives a Graft's bytes; an empty service means all.
func EncodeGraft(service string) ([]byte, error) {
	return proto.Marshal(&pb.Graft{Service: service})
}

// DecodeGraft reads a Graft.
func DecodeGraft(b []byte) (string, error) {
	var m pb.Graft
	if len(b) > MaxHello || proto.Unmarshal(b, &m) != nil || len(m.GetService()) > MaxName {
		return "", fmt.Errorf("graft: %w", ErrMalformed)
	}
	return m.GetService(), nil
}

// EncodeWithdraw gives a Withdraw's bytes; an empty service means the node leaves.
func EncodeWithdraw(service string) ([]byte, error) {
	return proto.Marshal(&pb.Withdraw{Service: service})
}

// DecodeWithdraw reads a Withdraw.
func DecodeWithdraw(b []byte) (string, error) {
	var m pb.Withdraw
	if len(b) > MaxHello || proto.Unmarshal(b, &m) != nil || len(m.GetService()) > MaxName {
		return "", fmt.Errorf("withdraw: %w", ErrMalformed)
	}
	return m.GetService(), nil
}
