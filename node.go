package meshnode

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/meshnode/meshnode/pkg/mesh"
	"github.com/meshnode/meshnode/pkg/servicerouting"
	"github.com/meshnode/meshnode/pkg/servicerouting/groups"
	"github.com/meshnode/meshnode/pkg/transport"
)

// Node is a running node.
type Node struct {
	cfg     Config
	started time.Time
	tr      *transport.Transport
	fw      *servicerouting.Forwarder
	groups  *groups.Groups

	mu     sync.Mutex
	peers  map[peer.ID]transport.Link // links that are up
	closed bool
	links  sync.WaitGroup // goroutines that run a link
	done   chan struct{}  // closed by Close
}

// New starts a node. ctx bounds the start only. After an error nothing is
// left running.
func New(ctx context.Context, opts ...Option) (*Node, error) {
	cfg := DefaultConfig()
	for _, o := range opts {
		if err := o(&cfg); err != nil {
			return nil, fmt.Errorf("meshnode: %w", err)
		}
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("meshnode: %w", err)
	}
	if err := identity(&cfg); err != nil {
		return nil, fmt.Errorf("meshnode: %w", err)
	}
	n := &Node{cfg: cfg, started: time.Now(), peers: make(map[peer.ID]transport.Link), done: make(chan struct{})}

	fc := servicerouting.DefaultConfig()
	fc.Key, fc.Network = cfg.Identity, mesh.NetworkOf(cfg.Network, cfg.NetworkKey)
	fc.Pause, fc.Resume, fc.Concurrency = cfg.QueuePause, cfg.QueueResume, cfg.Concurrency
	fc.Router.Zone, _ = cfg.zone() // Validate has seen it
	fc.Logger = cfg.Logger.With("part", "routing")

	tc := transport.DefaultConfig(cfg.Profile)
	tc.Identity, tc.Network, tc.NetworkKey, tc.NodeName = cfg.Identity, cfg.Network, cfg.NetworkKey, cfg.Name
	tc.Agent, tc.Announce, tc.Peers, tc.MDNS = cfg.Agent, cfg.Announce, cfg.Peers, cfg.MDNS
	tc.Transports = cfg.Transports
	if len(cfg.Listen) > 0 {
		tc.Listen = cfg.Listen
	}
	if cfg.DataDir != "" {
		tc.PeersFile = filepath.Join(cfg.DataDir, "peers.json")
	}
	tc.Credit = fc.Link.Window
	tc.Logger = cfg.Logger.With("part", "transport")
	tc.Alive = func(p peer.ID) bool { return n.fw != nil && n.fw.Alive(p) }

	var err error
	if n.tr, err = transport.New(ctx, tc); err != nil {
		return nil, fmt.Errorf("meshnode: %w", err)
	}
	if n.fw, err = servicerouting.New(fc); err != nil {
		return nil, errors.Join(fmt.Errorf("meshnode: %w", err), n.tr.Close())
	}
	n.groups, err = groups.New(n.tr.Host(), groups.Config{Network: fc.Network, Key: cfg.Identity, Logger: cfg.Logger.With("part", "groups")})
	if err == nil {
		n.tr.OnLink(n.link)
		err = n.tr.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("meshnode: %w", err), n.Close())
	}
	return n, nil
}

// identity takes the key from the data directory, or makes a new one.
func identity(cfg *Config) (err error) {
	switch {
	case cfg.Identity != nil:
	case cfg.DataDir != "":
		cfg.Identity, err = transport.LoadIdentity(IdentityFile(cfg.DataDir))
	default:
		cfg.Identity, err = transport.GenerateIdentity()
	}
	return err
}

// link runs a link until it ends.
func (n *Node) link(l transport.Link) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		n.tr.LinkClosed(l.Peer)
		return
	}
	n.links.Add(1)
	n.peers[l.Peer] = l
	n.mu.Unlock()
	go func() {
		defer n.links.Done()
		err := n.fw.AddLink(l.Peer, l.W, l.R, l.Credit)
		n.mu.Lock()
		current := n.peers[l.Peer].W == l.W
		if current {
			delete(n.peers, l.Peer)
		}
		n.mu.Unlock()
		n.cfg.Logger.Debug("link ended", "peer", l.Peer, "err", err)
		_ = l.W.Reset()
		_ = l.R.Reset()
		if current {
			n.tr.LinkClosed(l.Peer)
		}
	}()
}

// ID is the node's peer ID.
func (n *Node) ID() peer.ID { return n.fw.ID() }

// Addrs are the multiaddrs others can connect to, with the peer ID.
func (n *Node) Addrs() []string { return n.tr.Addrs() }

// Connect connects to a node, given as a multiaddr with /p2p/ID, and returns
// when it is a neighbour.
func (n *Node) Connect(ctx context.Context, addr string) (peer.ID, error) {
	id, err := n.tr.Connect(ctx, addr)
	for err == nil && !n.fw.Linked(id) {
		changed := n.fw.Changed()
		if n.fw.Linked(id) {
			break
		}
		select {
		case <-changed:
		case <-n.done:
			err = ErrClosed
		case <-ctx.Done():
			err = fmt.Errorf("connect to %s: %w", id, ctx.Err())
		}
	}
	return id, err
}

// Disconnect ends the link with a neighbour, until Connect.
func (n *Node) Disconnect(_ context.Context, id peer.ID) error {
	n.fw.Disconnect(id)
	return n.tr.Disconnect(id)
}

// Drain refuses new work with ErrDraining, and returns when what was in
// flight has ended, or with ctx's error.
func (n *Node) Drain(ctx context.Context) error { return n.fw.Drain(ctx) }

// Undrain takes work again.
func (n *Node) Undrain() { n.fw.Undrain() }

// goodbye is how long Shutdown lets the neighbours take what is queued for them.
const goodbye = 2 * time.Second

// Shutdown drains, tells the neighbours, and closes. With ctx over it closes
// all the same, and returns ctx's error. It may be called twice.
func (n *Node) Shutdown(ctx context.Context) error {
	if n.isClosed() {
		return n.Close()
	}
	err := n.Drain(ctx)
	last, cancel := context.WithTimeout(ctx, goodbye)
	n.fw.Goodbye(last)
	cancel()
	return errors.Join(err, n.Close())
}

// Close ends everything at once and waits for it. It may be called twice.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		<-n.done
		return nil
	}
	n.closed = true
	n.mu.Unlock()
	defer close(n.done)
	var errs []error
	if n.groups != nil {
		errs = append(errs, n.groups.Close())
	}
	errs = append(errs, n.fw.Close())
	n.links.Wait()
	errs = append(errs, n.tr.Close())
	return errors.Join(errs...)
}
