package transport

import "fmt"

// profile is what the name in Config.Profile stands for.
type profile struct {
	max    int   // links accepted
	degree int   // links below which discovered peers are dialled
	memory int64 // bytes of the resource manager
	port   int
}

var profiles = map[string]profile{
	"lan":    {max: 64, degree: 32, memory: 512 << 20},
	"edge":   {max: 16, degree: 8, memory: 128 << 20},
	"server": {max: 256, degree: 64, memory: 1 << 30, port: DefaultPort},
	"relay":  {max: 512, degree: 64, memory: 2 << 30, port: DefaultPort},
}

// listen gives the default listen addresses.
func (p profile) listen() []string {
	out := make([]string, 0, 4)
	for _, ip := range []string{"/ip4/0.0.0.0", "/ip6/::"} {
		out = append(out, fmt.Sprintf("%s/tcp/%d", ip, p.port), fmt.Sprintf("%s/udp/%d/quic-v1", ip, p.port))
	}
	return out
}

// conns is how many connections are allowed: peers may hold two for a moment,
// and some wait in their handshake.
func (p profile) conns() int { return 3*p.max + 64 }
