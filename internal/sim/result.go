package sim

import "time"

// Result is what a run found. All of it is a function of the scenario and the
// seed but Cost, which is left out when results are compared.
type Result struct {
	Scenario string        `json:"scenario"`
	Seed     uint64        `json:"seed"`
	Nodes    int           `json:"nodes"`
	Virtual  time.Duration `json:"virtual"` // time simulated, warm-up too
	Events   uint64        `json:"events"`
	// Figures are single numbers by name, as docs/simulation.md lists them:
	// "delivered", "hops.mean", "stretch.mean", "copies.first", …
	Figures map[string]float64 `json:"figures"`
	// Plots are what the report draws.
	Plots []Plot `json:"plots"`
	// Outcomes counts final words by status name.
	Outcomes map[string]uint64 `json:"outcomes"`
	// Failures are messages that did not do what was asked, and lies: words
	// that did not tell what happened. At most MaxFailures; FailureCount is all.
	Failures     []Failure `json:"failures"`
	FailureCount uint64    `json:"failureCount"`
	// Missed are the expectations not met, as sentences; empty is a pass.
	Missed []string `json:"missed"`
	Cost   Cost     `json:"cost"`
}

// MaxFailures is how many failures a Result lists.
const MaxFailures = 100

// Failure names one message for replay.
type Failure struct {
	Message uint64        `json:"message"` // its number in the run
	At      time.Duration `json:"at"`      // when it was sent, since the start
	From    int           `json:"from"`
	To      string        `json:"to"`
	Outcome string        `json:"outcome"`
	Lie     bool          `json:"lie"` // the outcome is not what happened
	Why     string        `json:"why"`
}

// Plot is a picture: lines over X, or bars when Bars is set.
type Plot struct {
	Name   string   `json:"name"`
	X, Y   string   `json:"-"` // the names of the axes, with units
	Bars   bool     `json:"bars"`
	Series []Series `json:"series"`
}

// Series is one line or one row of bars.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// Cost is what the run took on the machine.
type Cost struct {
	Wall            time.Duration `json:"wall"`
	CPU             time.Duration `json:"cpu"`
	PeakMemory      int64         `json:"peakMemory"`      // bytes of the process, the highest so far
	EventsPerSecond float64       `json:"eventsPerSecond"` // per second of CPU
}

// Progress tells how far a run is.
type Progress struct {
	Now, End time.Duration // virtual
	Events   uint64
	Alive    int // nodes
}
