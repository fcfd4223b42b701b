package sim

// kind tells what an event is.
type kind uint8

const (
	evArrive  kind = iota + 1 // a: end, b: generation and stream
	evTick                    // a: node, b: its life
	evSweep                   // the next share of the nodes
	evWork                    // a: job
	evTraffic                 // a: flow, b: its pace
	evChurn                   // one node leaves
	evLeave                   // a: entry of the trace
	evReturn                  // a: node, b: its life when it left
	evDial                    // a: node, b: its life
	evSuspect                 // a: end, b: generation and watch
	evCut                     // likewise
	evDown                    // a: end, b: generation: its far side has closed
	evBegin                   // a: Event
	evOver                    // a: Event
	evSecond                  // a sample of the run
	evAttack                  // a: node, b: of the attack
)

// event is one entry of the queue: 24 bytes without a pointer.
type event struct {
	at   int64  // ns since the start
	no   uint64 // rises with each push, above 8 bits of kind: it settles ties
	a, b uint32
}

func (e *event) kind() kind { return kind(e.no) }

func (e *event) before(f *event) bool { return e.at < f.at || e.at == f.at && e.no < f.no }

// queue is a heap with four children to a node: half as deep as a binary one,
// and the children lie side by side.
type queue struct {
	heap []event
	last uint64
}

func (q *queue) push(at int64, k kind, a, b uint32) {
	q.last++
	e := event{at, q.last<<8 | uint64(k), a, b}
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 4
		if q.heap[up].before(&e) {
			break
		}
		q.heap[i] = q.heap[up]
		i = up
	}
	q.heap[i] = e
}

func (q *queue) pop() event {
	h := q.heap
	top := h[0]
	n := len(h) - 1
	e := h[n]
	q.heap = h[:n]
	if n == 0 {
		return top
	}
	i := 0
	for {
		c := 4*i + 1
		if c >= n {
			break
		}
		least := c
		for j := c + 1; j < min(c+4, n); j++ {
			if h[j].before(&h[least]) {
				least = j
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
	return top
}
