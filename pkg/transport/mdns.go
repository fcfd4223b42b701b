package transport

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

const (
	mdnsDomain  = "local"
	mdnsPrefix  = "dnsaddr=" // before each address in the TXT record
	mdnsPort    = 4001       // a port must be given; nobody reads it
	mdnsSettle  = time.Second
	mdnsCheck   = 30 * time.Second
	mdnsRetry   = 10 * time.Second
	mdnsSilence = 15 * time.Second // in which our own announcement must be heard
	mdnsStop    = 3 * time.Second
	mdnsTXT     = 32 // strings read of one entry
)

// mdnsService names the service with a tag of the network, so that nodes of
// others are not even dialled: at most 15 characters (RFC 6763, section 7.2).
func (t *Transport) mdnsService() string {
	return "_meshnode-" + hex.EncodeToString(t.network[:3]) + "._udp"
}

// mdnsLoop announces the node and listens for others (RFC 6762, 6763). What is
// announced is fixed when it begins, so it begins anew when addresses change,
// and when it could not begin.
func (t *Transport) mdnsLoop() {
	for t.ctx.Err() == nil {
		txt, ips, err := t.mdnsRecord()
		if err == nil {
			err = t.mdnsRun(txt, ips)
		}
		if err == nil {
			continue
		}
		t.tell("mdns", fmt.Sprintf("mDNS does not work (%v): nodes on this LAN are not found; name peers instead", err))
		t.mdnsWait(mdnsRetry)
	}
}

// mdnsRun announces and listens until the addresses change or the node ends.
func (t *Transport) mdnsRun(txt, ips []string) error {
	server, err := zeroconf.RegisterProxy(t.mdnsName, t.mdnsService(), mdnsDomain, mdnsPort, t.mdnsName, ips, txt, nil)
	if err != nil {
		return err
	}
	defer stopWithin(mdnsStop, server.Shutdown)
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	entries := make(chan *zeroconf.ServiceEntry, 64)
	ended := make(chan error, 1)
	t.wg.Go(func() { ended <- t.mdnsBrowse(ctx, entries) })

	silence := time.NewTimer(mdnsSilence)
	defer silence.Stop()
	check := time.NewTicker(mdnsCheck)
	defer check.Stop()
	heard := false
	for {
		select {
		case e := <-entries:
			heard = true
			t.warn.clear("mdns")
			t.mdnsHeard(e)
			continue
		case err := <-ended:
			if t.ctx.Err() != nil {
				return nil
			}
			return errors.Join(errors.New("listening for others ended"), err)
		case <-silence.C:
			if !heard {
				t.tell("mdns", "mDNS heard nothing for 15 s, not even this node: multicast does not pass here (container, guest Wi-Fi, firewall); name peers instead")
			}
			continue
		case <-t.moved:
			t.mdnsWait(mdnsSettle)
		case <-check.C:
		case <-t.ctx.Done():
		}
		now, _, err := t.mdnsRecord()
		if t.ctx.Err() == nil && err == nil && slices.Equal(now, txt) {
			continue
		}
		cancel()
		<-ended
		return nil
	}
}

// mdnsBrowse listens on IPv4 and IPv6, or on the one that works.
func (t *Transport) mdnsBrowse(ctx context.Context, entries chan<- *zeroconf.ServiceEntry) error {
	var errs []error
	for _, ip := range []zeroconf.IPType{zeroconf.IPv4AndIPv6, zeroconf.IPv4, zeroconf.IPv6} {
		in := make(chan *zeroconf.ServiceEntry) // closed by a browser that began
		ended := make(chan error, 1)
		t.wg.Go(func() {
			ended <- zeroconf.Browse(ctx, t.mdnsService(), mdnsDomain, in, zeroconf.SelectIPTraffic(ip))
		})
		err := pump(ctx, in, entries, ended)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// pump passes entries on until the browser has ended; it never lets it block.
func pump(ctx context.Context, in <-chan *zeroconf.ServiceEntry, out chan<- *zeroconf.ServiceEntry, ended <-chan error) error {
	for {
		select {
		case e, ok := <-in:
			if !ok {
				in = nil
				continue
			}
			select {
			case out <- e:
			case <-ctx.Done():
			}
		case err := <-ended:
			return err
		}
	}
}

// mdnsHeard takes in an entry, which anybody on the LAN may have written.
func (t *Transport) mdnsHeard(e *zeroconf.ServiceEntry) {
	if e.Instance == t.mdnsName {
		return
	}
	var addrs []ma.Multiaddr
	for _, s := range e.Text[:min(len(e.Text), mdnsTXT)] {
		if s, ok := strings.CutPrefix(s, mdnsPrefix); ok {
			if a, err := ma.NewMultiaddr(s); err == nil {
				addrs = append(addrs, a)
			}
		}
	}
	infos, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil || len(infos) != 1 {
		t.log.Debug("mDNS entry ignored", "instance", e.Instance, "peers", len(infos), "err", err)
		return
	}
	info := infos[0]
	if info.ID == t.self {
		t.sawSelf(info.Addrs, "the LAN")
		return
	}
	near := believable(info.Addrs, ownPrefixes())
	if len(near) == 0 {
		return
	}
	t.mu.Lock()
	t.plan.add(time.Now(), info.ID, near, fromLAN)
	t.mu.Unlock()
	wake(t.kick)
}

// mdnsRecord gives the TXT strings and the IP addresses to announce.
func (t *Transport) mdnsRecord() (txt, ips []string, err error) {
	addrs, err := t.host.Network().InterfaceListenAddresses()
	if err != nil {
		return nil, nil, err
	}
	seen := make(map[bool]bool) // one address of each family will do
	for _, a := range addrs {
		ip, err := manet.ToIP(a)
		if err != nil || isRelayed(a) || !isTCP(a) && !isQUIC(a) || len(txt) == maxPeerAddr {
			continue
		}
		txt = append(txt, mdnsPrefix+a.String()+"/p2p/"+t.self.String())
		if v4 := ip.To4() != nil; !seen[v4] {
			seen[v4] = true
			ips = append(ips, ip.String())
		}
	}
	if len(txt) == 0 {
		return nil, nil, errors.New("there is no address to announce")
	}
	slices.Sort(txt)
	return txt, ips, nil
}

// mdnsWait waits, or until the addresses change, or the node ends.
func (t *Transport) mdnsWait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.ctx.Done():
		case <-t.moved:
			if d > mdnsSettle { // let the changes come together
				timer.Reset(mdnsSettle)
			}
			continue
		}
		return
	}
}

// stopWithin waits for a stop that may hang.
func stopWithin(d time.Duration, stop func()) {
	done := make(chan struct{})
	go func() {
		stop()
		close(done)
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
