package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshnode/meshnode/internal/sim"
)

// How often a progress line is written: on a terminal over the last one, in a
// file below it.
const (
	progressEvery     = 200 * time.Millisecond
	progressEveryLine = 5 * time.Second
	progressWidth     = 24
)

// progress shows how far a run is.
type progress struct {
	w     io.Writer
	tty   bool
	clock func() time.Time
	began time.Time
	last  time.Time
	drawn bool
}

func newProgress(w io.Writer, tty bool) *progress {
	return &progress{w: w, tty: tty, clock: time.Now, began: time.Now()}
}

func (p *progress) tell(now sim.Progress) {
	every := progressEveryLine
	if p.tty {
		every = progressEvery
	}
	t := p.clock()
	if t.Sub(p.last) < every {
		return
	}
	p.last, p.drawn = t, true
	line := progressLine(now, t.Sub(p.began))
	if p.tty {
		fmt.Fprintf(p.w, "\r%s\x1b[K", line)
		return
	}
	fmt.Fprintln(p.w, line)
}

// end takes the line away, so that the result stands alone.
func (p *progress) end() {
	if p.tty && p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// progressLine is a bar with virtual time, rate and the time that is left.
func progressLine(now sim.Progress, took time.Duration) string {
	done := 0.0
	if now.End > 0 {
		done = min(1, float64(now.Now)/float64(now.End))
	}
	full := int(done * progressWidth)
	rate := 0.0
	if took > 0 {
		rate = float64(now.Events) / took.Seconds()
	}
	left := "?"
	if done > 0 {
		left = time.Duration(float64(took) * (1 - done) / done).Round(time.Second).String()
	}
	return fmt.Sprintf("%s%s %3.0f%%  %v of %v  %d nodes  %.0fk events/s  %s left",
		strings.Repeat("█", full), strings.Repeat("░", progressWidth-full), done*100,
		now.Now.Round(100*time.Millisecond), now.End, now.Alive, rate/1e3, left)
}
