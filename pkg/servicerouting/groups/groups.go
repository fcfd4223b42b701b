package groups

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// The limits of groups.
const (
	// MaxPayload is the largest payload of a group's message, in bytes.
	MaxPayload = 64 << 10
	// Lifetime of a group's message. With the clock tolerance on top it is
	// shorter than the time a message is remembered, so that replays end there.
	Lifetime = time.Minute
	// Remember is how long a message's digest is kept.
	Remember = 4 * time.Minute
	// Queue is the depth of each of GossipSub's queues, and of a subscription.
	Queue = 4096
	// MaxGroups is how many groups a node is in. One that it only sends to
	// makes room for the next.
	MaxGroups = 256
	// MaxRelayed is how many more it relays for.
	MaxRelayed = 256
	// MaxOfNeighbour is how many groups of one neighbour are kept track of.
	MaxOfNeighbour = MaxGroups + MaxRelayed
	// MaxOutstanding is how many messages may wait for one neighbour before a
	// publisher is paused.
	MaxOutstanding = 2048
	// Rate is how many messages a second a node publishes, after a burst of
	// Queue; a message counts once more for every 4 KiB. It is what a member
	// on two cores checks the signatures of with room to spare.
	Rate = 4000
	// Settle is how long the first message to a group waits for somebody to
	// be in it.
	Settle = time.Second
	// Quiet is how long no further neighbour must have joined the group before
	// the first message to it goes out.
	Quiet = 50 * time.Millisecond
)

// Config of Groups.
type Config struct {
	Network mesh.Network
	Key     crypto.PrivKey // signs; its peer ID is the host's
	Logger  *slog.Logger   // nil: nothing is logged
}

// Message is what a member gets.
type Message struct {
	Envelope *mesh.Envelope
}

// Info describes a group this node is in.
type Info struct {
	Name    string
	Members []peer.ID // connected to us; nodes that only relay are among them
	Sent    uint64
	Got     uint64
	Dropped uint64 // for want of room: here, or on the way out
}

// Groups are the groups of one host.
type Groups struct {
	cfg    Config
	host   host.Host
	ps     *pubsub.PubSub
	prefix string
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	pace   *rate.Limiter
	trace  tracer
	filter *filter
	// byTopic finds a topic from within GossipSub's loop, without g.mu.
	byTopic sync.Map

	mu     sync.Mutex
	topics map[string]*topic
	uses   uint64 // of topics, to tell which was used last
	closed bool
}

// New starts GossipSub on a host.
func New(h host.Host, cfg Config) (*Groups, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Groups{
		cfg: cfg, host: h, prefix: "/meshnode/" + cfg.Network.String() + "/group/",
		pace: rate.NewLimiter(Rate, Queue), topics: make(map[string]*topic),
	}
	g.filter = newFilter(g)
	g.trace.init(g)
	g.ctx, g.cancel = context.WithCancel(context.Background())
	var err error
	g.ps, err = pubsub.NewGossipSub(g.ctx, h,
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { s := sha256.Sum256(m.GetData()); return string(s[:]) }),
		pubsub.WithSeenMessagesTTL(Remember),
		pubsub.WithPeerOutboundQueueSize(Queue), pubsub.WithValidateQueueSize(Queue),
		pubsub.WithFloodPublish(true), pubsub.WithRawTracer(&g.trace),
		pubsub.WithSubscriptionFilter(g.filter), pubsub.WithLogger(cfg.Logger),
	)
	if err != nil {
		g.cancel()
		return nil, fmt.Errorf("groups: %w", err)
	}
	g.wg.Go(g.relay)
	return g, nil
}

// Close leaves all groups and waits. The host is to be closed after it.
func (g *Groups) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	all := g.topics
	g.topics = make(map[string]*topic)
	g.mu.Unlock()
	for _, t := range all {
		t.close()
	}
	g.cancel()
	g.wg.Wait()
	return nil
}

// topic joins the topic of a group, once, to use it; the caller releases it.
func (g *Groups) topic(name string) (*topic, error) {
	if err := mesh.ValidName("group name", name); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.find(name)
	if err == nil && !t.own() {
		err = g.makeRoom()
	}
	if err == nil && t == nil {
		t, err = g.join(name)
	}
	if err != nil {
		return nil, fmt.Errorf("group %s: %w", name, err)
	}
	t.busy++
	g.uses++
	t.used.Store(g.uses)
	return t, nil
}

// find gives the topic of a group, nil when there is none. Called, like the
// next ones, with g.mu held.
func (g *Groups) find(name string) (*topic, error) {
	if g.closed {
		return nil, mesh.ErrDraining
	}
	return g.topics[name], nil
}

// makeRoom gives up the group that this node sent to longest ago, when it
// uses as many as it may.
func (g *Groups) makeRoom() error {
	n := 0
	var idle *topic
	for _, t := range g.topics {
		if !t.own() {
			continue
		}
		n++
		if t.idle() && (idle == nil || t.used.Load() < idle.used.Load()) {
			idle = t
		}
	}
	switch {
	case n < MaxGroups:
	case idle == nil:
		return fmt.Errorf("this node is in %d groups already, leave one first: %w", MaxGroups, mesh.ErrTooLarge)
	case idle.relayed():
		idle.used.Store(0)
	default:
		delete(g.topics, idle.name)
		idle.close()
	}
	return nil
}

// relayFor passes on a group's messages for neighbours.
func (g *Groups) relayFor(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.find(name)
	if err != nil || t != nil && t.relayed() {
		return err
	}
	n := 0
	for _, o := range g.topics {
		if o.relayed() {
			n++
		}
	}
	if n >= MaxRelayed {
		return fmt.Errorf("this node relays for %d groups already: %w", MaxRelayed, mesh.ErrTooLarge)
	}
	if t == nil {
		if t, err = g.join(name); err != nil {
			return err
		}
	}
	return t.relay()
}

// release ends a use of a topic.
func (g *Groups) release(t *topic) {
	g.mu.Lock()
	t.busy--
	g.mu.Unlock()
}

// relay passes on what goes between neighbours, in groups that this node is
// not in itself.
func (g *Groups) relay() {
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.filter.wake:
		}
		for name := range g.filter.take() {
			if err := g.relayFor(name); err != nil {
				g.cfg.Logger.Debug("relay", "group", name, "err", err)
			}
		}
	}
}

// List describes the groups this node is in.
func (g *Groups) List() []Info {
	g.mu.Lock()
	var all []*topic
	for _, t := range g.topics {
		all = append(all, t)
	}
	g.mu.Unlock()
	var out []Info
	for _, t := range all {
		if i, in := t.info(); in {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Dropped counts what was dropped on the way out, and on the way in before
// its group was known.
func (g *Groups) Dropped() (out, in uint64) {
	return g.trace.droppedOut.Load(), g.trace.droppedIn.Load()
}

// Members is the number of neighbours in a group, 0 for one that this node
// has nothing to do with.
func (g *Groups) Members(name string) int {
	t, ok := g.byTopic.Load(g.prefix + name)
	if !ok {
		return 0
	}
	return len(t.(*topic).t.ListPeers())
}
