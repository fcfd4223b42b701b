package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

// Listener is a socket with the rules of who may speak on it.
type Listener struct {
	net.Listener
	token string // bearer token; empty on a Unix socket
	addr  string
}

// Address is what a client dials: unix://PATH or http://host:port.
func (l *Listener) Address() string { return l.addr }

// Listen opens an API address. A Unix socket gets mode 0600 in a directory
// that only its owner may enter (made when it is missing); the socket of a
// dead daemon is replaced. A TCP address must be loopback and takes the token
// of tokenFile, which is made when it is missing.
func Listen(addr, tokenFile string) (*Listener, error) {
	network, a, err := ParseAddr(addr)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		l, err := listenUnix(a)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", a, err)
		}
		return &Listener{Listener: netutil.LimitListener(l, MaxConns), addr: "unix://" + a}, nil
	}
	if tokenFile == "" {
		return nil, Fail(ErrUsage, "listen on %s: a TCP port needs a token file", a)
	}
	token, err := makeToken(tokenFile)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, Fail(ErrPort, "listen on %s", a)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a, err)
	}
	return &Listener{
		Listener: netutil.LimitListener(l, MaxConns), token: token, addr: "http://" + l.Addr().String(),
	}, nil
}

func listenUnix(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := PrivateDir(dir); err != nil {
		return nil, err
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	// The directory keeps others out until the mode is set.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale takes away the socket that a dead daemon left.
func removeStale(path string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Mode().Type() != fs.ModeSocket {
		return Fail(ErrInUse, "%s is there and is no socket", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(Fail(ErrInUse, "a daemon answers there"), c.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return os.Remove(path)
}

// PrivateDir makes dir with mode 0700, or checks that it is a directory, no
// symlink, owned by this user and closed to everybody else: ErrUnsafe.
func PrivateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch {
	case !fi.IsDir():
		return Fail(ErrUnsafe, "%s is a symlink or a file, not a directory", dir)
	case !ownedByMe(fi):
		return Fail(ErrUnsafe, "%s belongs to another user", dir)
	case !closedToOthers(fi):
		return Fail(ErrUnsafe, "%s has mode %04o, at most 0700 is allowed (chmod 700 %s)", dir, fi.Mode().Perm(), dir)
	}
	return nil
}

// PrivateFile reads a small secret file, refusing what others own or may
// read: ErrUnsafe.
func PrivateFile(path string) ([]byte, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !fi.Mode().IsRegular():
		return nil, Fail(ErrUnsafe, "%s is not a plain file", path)
	case !ownedByMe(fi):
		return nil, Fail(ErrUnsafe, "%s belongs to another user", path)
	case !closedToOthers(fi):
		return nil, Fail(ErrUnsafe, "%s has mode %04o, at most 0600 is allowed (chmod 600 %s)", path, fi.Mode().Perm(), path)
	case fi.Size() > 64<<10:
		return nil, Fail(ErrConfig, "%s has %d bytes, too many for a secret", path, fi.Size())
	}
	return os.ReadFile(path)
}
