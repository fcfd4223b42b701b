package sim

import "time"

// startChurn schedules the leavings.
func (s *sim) startChurn() {
	for k := range s.sc.Churn.Trace {
		s.queue.push(int64(s.sc.Churn.Trace[k].At), evLeave, uint32(k), 0)
	}
	s.nextChurn()
	for k := range s.sc.Events {
		s.queue.push(s.warm+int64(s.sc.Events[k].At), evBegin, uint32(k), 0)
	}
}

// nextChurn schedules the next leaving: a Poisson process over all nodes.
func (s *sim) nextChurn() {
	rate := s.sc.Churn.Rate / 60 * float64(s.sc.Nodes)
	if rate <= 0 {
		return
	}
	if t := s.now + int64(s.churn.ExpFloat64()/rate*float64(time.Second)); t < s.end {
		s.queue.push(t, evChurn, 0, 0)
	}
}

func (s *sim) churnOne() {
	if i := int32(s.churn.IntN(len(s.nodes))); s.nodes[i].alive && s.nodes[i].hostile == 0 {
		s.leave(i, int64(s.sc.Churn.Downtime), s.churn.Float64() >= s.sc.Churn.Kill)
	}
	s.nextChurn()
}

func (s *sim) leaveAt(k int) {
	l := &s.sc.Churn.Trace[k]
	if s.nodes[l.Node].alive {
		s.leave(int32(l.Node), int64(l.For), s.churn.Float64() >= s.sc.Churn.Kill)
	}
}

// leave ends a node, for a time, or with 0 for good.
func (s *sim) leave(i int32, down int64, word bool) {
	s.die(i, word)
	if down > 0 {
		s.queue.push(s.now+down, evReturn, uint32(i), s.nodes[i].life)
	}
}

// comeBack starts a node again: the same identity, nothing remembered.
func (s *sim) comeBack(i int32, life uint32) {
	n := &s.nodes[i]
	if n.alive || n.life != life {
		return
	}
	s.boot(i)
	n.dialing = true
	s.dial(i, n.life)
}
