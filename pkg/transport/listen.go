package transport

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// listen opens the listen addresses one by one: libp2p is content with any
// one of them. One that the operator named must work; of the default ones,
// one is enough.
func (t *Transport) listen() error {
	addrs, err := t.cfg.listen()
	if err != nil {
		return err
	}
	s, ok := t.host.Network().(*swarm.Swarm)
	if !ok {
		return fmt.Errorf("listen: the host's network is a %T, not a swarm", t.host.Network())
	}
	if len(t.cfg.NetworkKey) != 0 {
		t.log.Info("QUIC is off: a network with a key uses TCP only")
	}
	var failed []error
	for _, a := range addrs {
		if err := listenOn(s, a); err != nil {
			failed = append(failed, err)
		}
	}
	switch {
	case len(failed) == 0:
		return nil
	case len(t.cfg.Listen) > 0 || len(failed) == len(addrs):
		s.ListenClose(s.ListenAddresses()...)
		return errors.Join(failed...)
	}
	for _, err := range failed {
		t.log.Warn(err.Error())
		t.warn.keep("listen/"+err.Error(), err.Error())
	}
	return nil
}

func listenOn(s *swarm.Swarm, a ma.Multiaddr) error {
	err := probePort(a)
	if err == nil {
		err = s.AddListenAddr(a)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: port in use: stop the other program, or choose another port (0 takes a free one): %w", a, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: not allowed: choose a port above 1023: %w", a, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: no interface of this machine has the address: 0.0.0.0 or :: takes all: %w", a, err)
	}
	return fmt.Errorf("listen on %s: check the address: %w", a, err)
}

// probePort binds a TCP port and lets go of it. libp2p binds with
// SO_REUSEPORT, with which two nodes of one user would share a port, and each
// get some of the other's connections.
func probePort(a ma.Multiaddr) error {
	if !isTCP(a) {
		return nil
	}
	network, addr, err := manet.DialArgs(a)
	if err != nil {
		return err
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}
