package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Transport is one host's place on the network.
type Transport struct {
	net       *Net
	host      uint64
	upgrader  transport.Upgrader
	resources network.ResourceManager
}

var _ transport.Transport = (*Transport)(nil)

// Option gives a libp2p host its transport; host is its number, and Addr(host)
// where it listens.
func (n *Net) Option(host uint64) libp2p.Option {
	return libp2p.Transport(func(u transport.Upgrader, r network.ResourceManager) *Transport {
		return &Transport{net: n, host: host, upgrader: u, resources: r}
	})
}

// hostOf gives N of /memory/N.
func hostOf(a ma.Multiaddr) (uint64, error) {
	if len(a) != 1 || a[0].Code() != ma.P_MEMORY {
		return 0, fmt.Errorf("%s is not an address like /memory/7", a)
	}
	return strconv.ParseUint(a[0].Value(), 10, 64)
}

// CanDial reports that an address is /memory/N.
func (t *Transport) CanDial(a ma.Multiaddr) bool {
	_, err := hostOf(a)
	return err == nil
}

// Dial connects, and takes a round trip for it, as TCP does.
func (t *Transport) Dial(ctx context.Context, a ma.Multiaddr, p peer.ID) (transport.CapableConn, error) {
	to, err := hostOf(a)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	scope, err := t.resources.OpenConnection(network.DirOutbound, false, a)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", a, err)
	}
	if err = scope.SetPeer(p); err != nil {
		scope.Done()
		return nil, fmt.Errorf("dial %s: %w", a, err)
	}
	c, err := t.net.dial(ctx, t.host, to)
	if err != nil {
		scope.Done()
		return nil, fmt.Errorf("dial %s: %w", a, err)
	}
	return t.upgrader.Upgrade(ctx, t, c, network.DirOutbound, p, scope)
}

// Listen accepts connections at the host's own address.
func (t *Transport) Listen(a ma.Multiaddr) (transport.Listener, error) {
	host, err := hostOf(a)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if host != t.host {
		return nil, fmt.Errorf("listen on %s: this host is at %s", a, Addr(t.host))
	}
	l, err := t.net.listen(host)
	if err != nil {
		return nil, err
	}
	return t.upgrader.UpgradeGatedMaListener(t, t.upgrader.GateMaListener(l)), nil
}

// Protocols are those of the addresses it is for.
func (t *Transport) Protocols() []int { return []int{ma.P_MEMORY} }

// Proxy is false: it goes through nothing else.
func (t *Transport) Proxy() bool { return false }

// listener is where connections to a host wait.
type listener struct {
	net    *Net
	host   uint64
	accept chan *conn
	done   chan struct{} // closed by Close, under net.mu
}

var _ manet.Listener = (*listener)(nil)

func (n *Net) listen(host uint64) (*listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[host] != nil {
		return nil, fmt.Errorf("listen on %s: address in use", Addr(host))
	}
	l := &listener{net: n, host: host, accept: make(chan *conn, backlog), done: make(chan struct{})}
	n.listeners[host] = l
	return l, nil
}

// Accept waits for a connection.
func (l *listener) Accept() (manet.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed // the upgrader's listener makes it libp2p's
	}
}

// Close resets the connections that nobody has accepted.
func (l *listener) Close() error {
	l.net.mu.Lock()
	if l.net.listeners[l.host] != l {
		l.net.mu.Unlock()
		return nil
	}
	delete(l.net.listeners, l.host)
	close(l.done)
	l.net.mu.Unlock()
	for {
		select {
		case c := <-l.accept:
			c.reset()
		default:
			return nil
		}
	}
}

func (l *listener) Multiaddr() ma.Multiaddr { return Addr(l.host) }
func (l *listener) Addr() net.Addr          { return netAddr(l.host) }
