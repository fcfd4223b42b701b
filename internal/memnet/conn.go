package memnet

import (
	"net"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// conn is one end of a connection.
type conn struct {
	net           *Net
	pair          *pair
	in, out       *half
	local, remote uint64
	closing       sync.Once
}

var _ manet.Conn = (*conn)(nil)

func (c *conn) Read(b []byte) (int, error)  { return c.in.Read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.Write(b) }

// Close lets the other side read what was written, and then the end.
func (c *conn) Close() error {
	c.closing.Do(func() {
		c.out.leave()
		c.in.abandon()
		c.net.closed(c.pair)
	})
	return nil
}

// CloseWrite ends one direction; the other can still be read.
func (c *conn) CloseWrite() error {
	c.out.leave()
	return nil
}

// CloseRead makes the other side's writes fail, one latency later.
func (c *conn) CloseRead() error {
	c.in.abandon()
	return nil
}

// reset ends both ends at once.
func (c *conn) reset() {
	c.in.reset()
	c.out.reset()
	c.net.drop(c.pair)
}

func (c *conn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

func (c *conn) LocalAddr() net.Addr           { return netAddr(c.local) }
func (c *conn) RemoteAddr() net.Addr          { return netAddr(c.remote) }
func (c *conn) LocalMultiaddr() ma.Multiaddr  { return Addr(c.local) }
func (c *conn) RemoteMultiaddr() ma.Multiaddr { return Addr(c.remote) }

// netAddr is an address of package net.
type netAddr uint64

func (a netAddr) Network() string { return "memory" }
func (a netAddr) String() string  { return Addr(uint64(a)).String() }
