package hosts

import (
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func TestLie(t *testing.T) {
	one, all := &sim.Traffic{Mode: "one", Deadline: time.Second}, &sim.Traffic{Mode: "all", Deadline: time.Second}
	over := &sim.Traffic{Mode: "one", Deadline: time.Second, Failover: true}
	at := func(node, life int) visit { return visit{Node: node, Life: life, Hops: 3} }
	by := func(node int) word { return word{node, 3} }
	for _, c := range []struct {
		why      string
		repeated bool
		m        message
	}{
		{"", false, message{send: send{flow: one}, status: mesh.StatusOK, visits: []visit{at(7, 1)}, told: []word{by(7)}}},
		{"", false, message{send: send{flow: one}, status: mesh.StatusNoProvider}},
		{"", false, message{send: send{flow: one}, status: mesh.StatusTimeout, visits: []visit{at(7, 1)}}},
		{"", true, message{send: send{flow: one}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(7, 2)}, told: []word{by(7)}}},
		{"", false, message{send: send{flow: over}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(8, 1)}, told: []word{by(8)}}},
		{"", false, message{send: send{flow: all}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(8, 1)}, told: []word{by(8), by(7)}}},
		{"never saw it", false, message{send: send{flow: one}, status: mesh.StatusOK, told: []word{by(7)}}},
		{"never saw it", false, message{send: send{flow: one}, status: mesh.StatusOK, visits: []visit{at(8, 1)}, told: []word{by(7)}}},
		{"handled twice", true, message{send: send{flow: one}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(7, 1)}, told: []word{by(7)}}},
		{"and node 7 handled it", false, message{send: send{flow: one}, status: mesh.StatusNoProvider, visits: []visit{at(7, 1)}}},
		{"by 2 nodes", false, message{send: send{flow: one}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(8, 1)}, told: []word{by(8)}}},
		{"1 providers acknowledged", false, message{send: send{flow: all}, status: mesh.StatusOK, visits: []visit{at(7, 1), at(8, 1)}, told: []word{by(8)}}},
		{"crossed 11 links", false, message{send: send{flow: one}, visits: []visit{{Node: 7, Hops: 11}}}},
		{"after its end", false, message{send: send{flow: one}, visits: []visit{{Node: 7, At: 2 * time.Second}}}},
	} {
		why, repeated := c.m.lie()
		if (why == "") != (c.why == "") || !strings.Contains(why, c.why) || repeated != c.repeated {
			t.Errorf("%+v: %q, repeated %v: want %q, %v", c.m, why, repeated, c.why, c.repeated)
		}
	}
}
