package hosts

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/internal/memnet"
)

// world is the network under the nodes.
type world interface {
	// host gives a node its transports, and where it listens.
	host(node int) (transports []libp2p.Option, listen string)
	// silence is memnet.Net.Silence.
	silence(between func(a, b uint64) bool)
	// open is the number of connections that have not ended.
	open() int
}

// memory is the world of memnet.
type memory struct{ net *memnet.Net }

func (m memory) host(i int) ([]libp2p.Option, string) {
	// What others see of an address says nothing in here.
	return []libp2p.Option{m.net.Option(uint64(i)), libp2p.DisableIdentifyAddressDiscovery()}, memnet.Addr(uint64(i)).String()
}

func (m memory) silence(between func(a, b uint64) bool) { m.net.Silence(between) }
func (m memory) open() int                              { return m.net.Conns() }

// Mesh is a number of nodes and the links between them.
type Mesh struct {
	world world
	graph *graph
	ids   map[peer.ID]int
	keys  []crypto.PrivKey
	began func(node, life int, n *meshnode.Node) error // called for each node that starts

	mu    sync.Mutex
	nodes []*meshnode.Node // nil: not up
	lives []int            // how often each has started
	dead  []bool           // silent, because it was killed
	side  func(node int) bool
}

// newMesh makes the nodes' keys; nothing runs yet.
func newMesh(w world, g *graph, seed uint64) (*Mesh, error) {
	n := len(g.links)
	m := &Mesh{
		world: w, graph: g, ids: make(map[peer.ID]int, n),
		nodes: make([]*meshnode.Node, n), lives: make([]int, n), dead: make([]bool, n),
	}
	for i := range n {
		var b [ed25519.SeedSize]byte
		binary.BigEndian.PutUint64(b[:], seed)
		binary.BigEndian.PutUint64(b[8:], uint64(i))
		key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(b[:]))
		if err != nil {
			return nil, fmt.Errorf("key of node %d: %w", i, err)
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("key of node %d: %w", i, err)
		}
		m.keys, m.ids[id] = append(m.keys, key), i
	}
	return m, nil
}

// start runs a node, which then dials whom the graph says.
func (m *Mesh) start(ctx context.Context, i int) error {
	var peers []string
	for _, p := range m.graph.dials[i] {
		id, err := peer.IDFromPrivateKey(m.keys[p])
		if err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
		_, at := m.world.host(p)
		peers = append(peers, at+"/p2p/"+id.String())
	}
	transports, listen := m.world.host(i)
	n, err := meshnode.New(ctx,
		meshnode.WithIdentity(m.keys[i]), meshnode.WithMDNS(false), meshnode.WithPeers(peers...),
		meshnode.WithListen(listen), meshnode.WithTransports(transports...),
	)
	m.mu.Lock()
	m.lives[i]++
	life := m.lives[i]
	m.mu.Unlock()
	if err == nil && m.began != nil {
		if err = m.began(i, life, n); err != nil {
			err = errors.Join(err, n.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("node %d: %w", i, err)
	}
	m.mu.Lock()
	m.nodes[i] = n
	m.mu.Unlock()
	return nil
}

// Start runs all nodes and returns when all links of the graph are up.
func (m *Mesh) Start(ctx context.Context) error {
	for i := range m.nodes {
		if err := m.start(ctx, i); err != nil {
			return err
		}
	}
	return m.Linked(ctx)
}

// Linked waits for all links of the graph between nodes that are up.
func (m *Mesh) Linked(ctx context.Context) error {
	for i, links := range m.graph.links {
		n := m.Node(i)
		if n == nil {
			continue
		}
		want := 0
		for _, p := range links {
			if m.Node(p) != nil {
				want++
			}
		}
		if err := n.Wait(ctx, meshnode.PeersAtLeast(want)); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
	}
	return nil
}

// Node gives a node, nil when it is not up.
func (m *Mesh) Node(i int) *meshnode.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes[i]
}

// Index is the number of a node, -1 for a peer that is none.
func (m *Mesh) Index(id peer.ID) int {
	if i, ok := m.ids[id]; ok {
		return i
	}
	return -1
}

// leave ends a node; with kill its neighbours hear nothing of it.
func (m *Mesh) leave(i int, kill bool) error {
	m.mu.Lock()
	n := m.nodes[i]
	m.nodes[i], m.dead[i] = nil, kill
	m.mu.Unlock()
	m.silence()
	return n.Close()
}

// back starts a node again, as a new process with the same key.
func (m *Mesh) back(ctx context.Context, i int) error {
	m.mu.Lock()
	m.dead[i] = false
	m.mu.Unlock()
	m.silence()
	return m.start(ctx, i)
}

// part silences all links between the nodes of one side and the others; nil
// ends it.
func (m *Mesh) part(side func(node int) bool) {
	m.mu.Lock()
	m.side = side
	m.mu.Unlock()
	m.silence()
}

func (m *Mesh) silence() {
	m.world.silence(func(a, b uint64) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.dead[a] || m.dead[b] || m.side != nil && m.side(int(a)) != m.side(int(b))
	})
}

// Close ends all nodes at once.
func (m *Mesh) Close() error {
	m.mu.Lock()
	nodes := m.nodes
	m.nodes = make([]*meshnode.Node, len(nodes))
	m.mu.Unlock()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		if n != nil {
			wg.Go(func() { errs[i] = n.Close() })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// random gives the chance of one purpose.
func random(seed uint64, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }
