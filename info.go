package meshnode

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// PeerInfo describes one neighbour.
type PeerInfo struct {
	ID        peer.ID       `json:"id"`
	Name      string        `json:"name,omitempty"`
	Agent     string        `json:"agent,omitempty"`
	Address   string        `json:"address"`   // multiaddr of the connection
	Transport string        `json:"transport"` // tcp, quic or relay
	State     string        `json:"state"`     // up or suspect
	RTT       time.Duration `json:"rtt"`
	Since     time.Time     `json:"since"`
	Queued    int           `json:"queued"` // bytes waiting for it
	InFlight  int           `json:"inFlight"`
}

// RouteInfo describes one known way to a node.
type RouteInfo struct {
	To     peer.ID       `json:"to"`
	Via    peer.ID       `json:"via"`
	Hops   int           `json:"hops"`
	Proven bool          `json:"proven"` // a receipt came back by it
	RTT    time.Duration `json:"rtt,omitempty"`
	Age    time.Duration `json:"age"`
}

// ProviderInfo describes one known provider of a service.
type ProviderInfo struct {
	Peer       peer.ID         `json:"peer"`
	Local      bool            `json:"local,omitempty"`
	Attributes mesh.Attributes `json:"attributes,omitempty"`
	Hops       int             `json:"hops"`
	RTT        time.Duration   `json:"rtt,omitempty"`
	Load       int             `json:"load"`
	Success    float64         `json:"success"` // recent share of successes, 0 to 1
	Cost       float64         `json:"cost"`
	Age        time.Duration   `json:"age"`
}

// ServiceInfo describes a service and whom this node knows to serve it.
type ServiceInfo struct {
	Name      string         `json:"name"`
	Handlers  int            `json:"handlers"` // of this node
	Providers []ProviderInfo `json:"providers"`
}

// GroupInfo describes a group this node has joined.
type GroupInfo struct {
	Name    string    `json:"name"`
	Members []peer.ID `json:"members"` // others in it that we are connected to
	Sent    uint64    `json:"sent"`
	Got     uint64    `json:"got"`
	Dropped uint64    `json:"dropped"`
}

// Status is the node at a glance.
type Status struct {
	ID       peer.ID           `json:"id"`
	Name     string            `json:"name,omitempty"`
	Network  string            `json:"network"`
	Open     bool              `json:"open"` // anybody may join
	Profile  string            `json:"profile"`
	State    string            `json:"state"` // ready, draining
	Version  string            `json:"version"`
	Listen   []string          `json:"listen"` // multiaddrs with the peer ID
	Started  time.Time         `json:"started"`
	Peers    int               `json:"peers"`
	Services []string          `json:"services"` // of this node
	Routes   int               `json:"routes"`
	Queued   int               `json:"queued"`   // bytes waiting in all links
	Counters map[string]uint64 `json:"counters"` // see docs/operations.md
	Warnings []string          `json:"warnings,omitempty"`
}
