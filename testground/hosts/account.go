package hosts

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// message is one message: what was asked, what its handlers saw, what its
// sender was told.
type message struct {
	send
	visits []visit
	told   []word // one, or for mode all one of each provider
	status mesh.Status
	ended  time.Duration // when its sender was told; 0: never
}

// visit is a handler's work on a message.
type visit struct {
	Node, Life int // how often the node had started
	Hops       int
	At         time.Duration // since the beginning of the warm-up
}

// word is what the sender was told of one provider.
type word struct {
	provider, hops int
}

// account keeps all messages by number.
type account struct {
	mu  sync.Mutex
	all []*message
}

func (a *account) add(s send) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, &message{send: s})
	return len(a.all) - 1
}

func (a *account) handled(number int, v visit) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if number < 0 || number >= len(a.all) {
		return fmt.Errorf("message %d was never sent", number)
	}
	m := a.all[number]
	m.visits = append(m.visits, v)
	return nil
}

func (a *account) end(number int, at time.Duration, status mesh.Status, told ...word) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.all[number]
	m.ended, m.status, m.told = at, status, told
}

// statusOf gives the status of an error that sending returned.
func statusOf(err error) mesh.Status {
	var e *meshnode.SendError
	switch {
	case err == nil:
		return mesh.StatusOK
	case errors.As(err, &e) && e.Status != 0:
		return e.Status
	case errors.Is(err, mesh.ErrTimeout):
		return mesh.StatusTimeout
	case errors.Is(err, mesh.ErrNoProvider):
		return mesh.StatusNoProvider
	case errors.Is(err, mesh.ErrDraining):
		return mesh.StatusDraining
	}
	return mesh.StatusUnknown
}

// lie tells how the word is not what happened; empty: it is. repeated is a
// message that a provider handled again after a restart, which is allowed.
func (m *message) lie() (why string, repeated bool) {
	at := make(map[int]int) // node to life
	for _, v := range m.visits {
		life, again := at[v.Node]
		at[v.Node] = v.Life
		repeated = repeated || again
		switch {
		case again && life == v.Life:
			return fmt.Sprintf("handled twice by node %d", v.Node), repeated
		case v.Hops > mesh.MaxTTL:
			return fmt.Sprintf("crossed %d links", v.Hops), repeated
		case v.At > m.at+m.flow.Deadline:
			return fmt.Sprintf("handled %v after its end", v.At-m.at-m.flow.Deadline), repeated
		}
	}
	for _, w := range m.told {
		if _, ran := at[w.provider]; !ran {
			return fmt.Sprintf("acknowledged by node %d, which never saw it", w.provider), repeated
		}
	}
	nothing := m.status/100 == 2 || m.status/100 == 4
	switch {
	case nothing && len(m.visits) > 0:
		why = fmt.Sprintf("%s, and node %d handled it", m.status, m.visits[0].Node)
	case m.flow.Mode == "one" && !m.flow.Failover && len(at) > 1:
		why = fmt.Sprintf("handled by %d nodes", len(at))
	case m.flow.Mode == "all" && m.status == mesh.StatusOK && len(m.told) != len(at):
		why = fmt.Sprintf("%d providers acknowledged, %d handled it", len(m.told), len(at))
	}
	return why, repeated
}

// failure makes an entry of the result.
func (m *message) failure(number int, why string, lie bool) sim.Failure {
	return sim.Failure{
		Message: uint64(number), At: m.at, From: m.from, To: m.to, Outcome: m.status.String(), Lie: lie, Why: why,
	}
}
