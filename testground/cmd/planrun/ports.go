//go:build unix

package main

import (
	"fmt"
	"net"
)

// The ports of a run with Testground's daemon; none can be changed.
const (
	syncPort   = 5050
	daemonPort = 8042
	redisPort  = 6379
)

// checkPorts makes sure that the ports are free. Redis is not used: Testground
// counts its port being taken as a fault that it cannot mend.
func checkPorts(r *room) error {
	for port, what := range map[int]string{
		syncPort:   "the sync service listens there",
		daemonPort: "Testground's daemon listens there",
		redisPort:  "Testground does not start while Redis, or another, listens there",
	} {
		var err error
		r.do(func() {
			var l net.Listener
			if l, err = net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
				err = l.Close()
			}
		})
		if err != nil {
			return fmt.Errorf("port %d must be free, %s: end what uses it, run as root for a network of its own, or use --direct: %w", port, what, err)
		}
	}
	return nil
}
