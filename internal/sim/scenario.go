package sim

import "time"

// Scenario says what is simulated. The zero value of a field means its
// default; Validate names the first field that is out of range.
type Scenario struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"` // one sentence for people
	Nodes int    `yaml:"nodes"`
	Seed  uint64 `yaml:"seed"`
	// Warmup runs before Duration, with the same traffic; what it costs is
	// told apart, and outcomes of its messages are not in the figures.
	Warmup   time.Duration `yaml:"warmup"`
	Duration time.Duration `yaml:"duration"`

	Topology  Topology   `yaml:"topology"`
	Link      Link       `yaml:"link"` // of links for which Topology says nothing else
	Services  []Service  `yaml:"services"`
	Traffic   []Traffic  `yaml:"traffic"`
	Churn     Churn      `yaml:"churn"`
	Events    []Event    `yaml:"events"`
	Attackers []Attacker `yaml:"attackers"`
	// Expect are the bounds that make a run pass, by the name of a figure of
	// Result.Figures: "delivered: >= 0.9999", "stretch.mean: <= 1.25".
	Expect map[string]string `yaml:"expect"`
}

// Topology says who is linked to whom at the start, and the stand-in rule for
// neighbours afterwards: a node with fewer than Degree neighbours dials, after
// Rejoin, nodes drawn at random among those alive in its region (and, when it
// is a bridge, of the regions it joins), until it has Degree again.
type Topology struct {
	// Kind: line, ring, grid (a torus), random-regular, small-world (a ring
	// of Degree with Rewire of its links moved), tree, star, regions (each
	// region a random-regular graph, joined by Bridges).
	Kind    string        `yaml:"kind"`
	Degree  int           `yaml:"degree"`
	Rewire  float64       `yaml:"rewire"`
	Fanout  int           `yaml:"fanout"` // of tree and star
	Rejoin  time.Duration `yaml:"rejoin"`
	Regions []Region      `yaml:"regions"`
	// Bridges is the number of nodes with links into two regions, for each
	// pair of regions; BridgeLinks of them on either side.
	Bridges     int  `yaml:"bridges"`
	BridgeLinks int  `yaml:"bridgeLinks"`
	BridgeLink  Link `yaml:"bridgeLink"`
	// NAT is the share of nodes of each class: open, cone (linked by punching,
	// with PunchFails), symmetric (linked with open nodes only).
	NAT        map[string]float64 `yaml:"nat"`
	PunchFails float64            `yaml:"punchFails"`
}

// Region is a part of the mesh with links of its own kind.
type Region struct {
	Name  string  `yaml:"name"`
	Share float64 `yaml:"share"` // of the nodes
	Link  Link    `yaml:"link"`
}

// Link is the kind of a link. A lost frame is repeated after a time out, as
// on a stream, and delays what is behind it.
type Link struct {
	Latency   time.Duration `yaml:"latency"`   // one way, the least
	Spread    time.Duration `yaml:"spread"`    // the latency of a link is drawn between Latency and Latency+Spread
	Jitter    float64       `yaml:"jitter"`    // each frame takes up to this share longer
	Loss      float64       `yaml:"loss"`      // of frames
	Bandwidth int64         `yaml:"bandwidth"` // bytes per second; 0 is no limit
	MaxQueue  int64         `yaml:"maxQueue"`  // bytes waiting on it; more is refused as busy. Default 4 MiB
	Detect    time.Duration `yaml:"detect"`    // a silent end is suspected after Suspect, and cut after this. Default 3 s
	Suspect   time.Duration `yaml:"suspect"`   // default 1 s
}

// Service is a name, or a run of names, that some nodes serve.
type Service struct {
	Name      string  `yaml:"name"`      // "ocr", or "svc-#" with Count names svc-0, svc-1, …
	Count     int     `yaml:"count"`     // default 1
	Providers int     `yaml:"providers"` // of each name
	Share     float64 `yaml:"share"`     // instead of Providers: a share of the nodes
	Region    string  `yaml:"region"`    // empty: anywhere
	// Attributes of each provider. A value may be a choice, drawn for each:
	// "gpu|cpu". The region of a provider is added as "region".
	Attributes map[string]string `yaml:"attributes"`
	Handler    Handler           `yaml:"handler"`
	// Slow is a number of the providers whose handler takes SlowTime.
	Slow     int           `yaml:"slow"`
	SlowTime time.Duration `yaml:"slowTime"`
}

// Handler is what stands behind a service.
type Handler struct {
	Time        time.Duration `yaml:"time"`        // the least
	Spread      time.Duration `yaml:"spread"`      // drawn on top, exponentially
	Concurrency int           `yaml:"concurrency"` // default 64
	Queue       int           `yaml:"queue"`       // default 256; more is refused as busy
	Fails       float64       `yaml:"fails"`       // share that fails for good
}

// Traffic is one flow of messages.
type Traffic struct {
	Name     string        `yaml:"name"`
	To       string        `yaml:"to"`     // an address; "svc-#" draws one of the names for each node, once
	Draw     string        `yaml:"draw"`   // node (default: each node keeps its names) or message
	Names    int           `yaml:"names"`  // how many names a node keeps. Default 1
	Skew     float64       `yaml:"skew"`   // Zipf exponent of drawing names; 0 is uniform
	From     float64       `yaml:"from"`   // share of nodes that send. Default 1
	Region   string        `yaml:"region"` // senders of this region only
	Rate     float64       `yaml:"rate"`   // messages per second and node, at exponential intervals
	Mode     string        `yaml:"mode"`   // one (default) or all
	Class    string        `yaml:"class"`  // confirm (default) or fire
	Request  bool          `yaml:"request"`
	Failover bool          `yaml:"failover"`
	Size     int           `yaml:"size"`     // payload bytes. Default 128
	Deadline time.Duration `yaml:"deadline"` // default 30 s
	Start    time.Duration `yaml:"start"`    // of warm-up's beginning
	Ramp     time.Duration `yaml:"ramp"`     // senders begin one after another over this time. Default: the warm-up
	Stop     time.Duration `yaml:"stop"`     // 0: the end
}

// Churn makes nodes leave and come back.
type Churn struct {
	Rate     float64       `yaml:"rate"`     // share of the nodes per minute that leave
	Downtime time.Duration `yaml:"downtime"` // until it comes back, as a new router of the same identity
	Kill     float64       `yaml:"kill"`     // share of leavings that are without a word (the rest reset their links). Default 1
	Trace    []Leave       `yaml:"trace"`    // these besides
}

// Leave is one entry of a churn trace.
type Leave struct {
	At   time.Duration `yaml:"at"`
	For  time.Duration `yaml:"for"` // 0: for good
	Node int           `yaml:"node"`
}

// Event is something that happens once.
type Event struct {
	At  time.Duration `yaml:"at"` // since the end of warm-up
	For time.Duration `yaml:"for"`
	// What: partition (links between two parts go silent; Share of the nodes
	// on the small side, or one Region), cut (Share of links end), silence
	// (Share of links go silent), kill (Share of nodes, or Service's
	// providers), crowd (Traffic's rate times Factor), join (Share more nodes).
	What    string  `yaml:"what"`
	Share   float64 `yaml:"share"`
	Region  string  `yaml:"region"`
	Service string  `yaml:"service"`
	Traffic string  `yaml:"traffic"`
	Factor  float64 `yaml:"factor"`
}

// Attacker is a number of nodes that do something else than the protocol.
type Attacker struct {
	// Kind names a plug-in: blackhole (answers probes, swallows payloads),
	// dropper (drops Strength of what it relays), liar (claims to be one hop
	// from everybody), sybil (each node claims Strength identities that serve
	// Service), flooder (Strength probes a second for names nobody serves),
	// replayer (sends frames again), ttl1 (sends floods on with a TTL of 1).
	Kind     string  `yaml:"kind"`
	Share    float64 `yaml:"share"`
	Count    int     `yaml:"count"`
	Service  string  `yaml:"service"`
	Strength float64 `yaml:"strength"`
}
