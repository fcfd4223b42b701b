package sim

import (
	"context"
	"time"
)

// Options of a run that have no influence on its Result.
type Options struct {
	// Progress is called about every 100 ms. Default: nobody is told.
	Progress func(Progress)
	// Trace tells what happens to one message. Default: nobody is told.
	Trace *Trace
}

// Trace follows one message of a run, by the number that a Failure has.
type Trace struct {
	Message uint64
	Line    func(string)
}

// drainFor is how much longer than the longest deadline a run goes on after
// its end, so that every message has its word.
const drainFor = 2 * time.Second

// checkEvery is after how many events a run looks at its context.
const checkEvery = 4096

// Run simulates a scenario, whose defaults it fills in. The error is of
// Validate, of a scenario that cannot be built, or of ctx: a Result that
// misses its expectations is not an error.
func Run(ctx context.Context, sc *Scenario, o Options) (*Result, error) {
	own := sc.clone()
	if err := own.Validate(); err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	s, err := newSim(own, o)
	if err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	res := s.result()
	res.Cost = Cost{Wall: time.Since(began), CPU: cpuTime() - cpu, PeakMemory: peakMemory()}
	if sec := res.Cost.CPU.Seconds(); sec > 0 {
		res.Cost.EventsPerSecond = float64(s.count) / sec
	}
	return res, nil
}

// run takes events until the traffic is over and has its words.
func (s *sim) run(ctx context.Context) error {
	last := s.end + int64(drainFor)
	for k := range s.flows {
		last = max(last, s.end+int64(s.flows[k].Deadline)+int64(drainFor))
	}
	told := time.Now()
	for n := 0; ; n++ {
		if n%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.o.Progress != nil && time.Since(told) >= 100*time.Millisecond {
				told = time.Now()
				s.o.Progress(Progress{Now: time.Duration(s.now), End: time.Duration(s.end), Events: s.count, Alive: s.alive})
			}
		}
		// The queue is never empty: a sweep is always to come.
		if next := s.queue.heap[0].at; next > last || s.meter.pending == 0 && next > s.end+int64(drainFor) {
			break
		}
		s.step()
	}
	s.finishAll()
	return nil
}

// finishAll settles what is still held when the run ends.
func (s *sim) finishAll() {
	for i := range s.msgs.used {
		if m := s.msgs.at(i); m.no != 0 && m.published() {
			s.settle(m)
			m.flow = nobody
		}
	}
}
