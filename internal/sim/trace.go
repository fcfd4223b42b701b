package sim

import (
	"fmt"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

// traced tells whether a message is the one that is followed, or serves it.
func (s *sim) traced(m *msg) bool {
	return s.o.Trace != nil && m.number == s.o.Trace.Message && m.number != 0
}

func (s *sim) trace(format string, args ...any) {
	s.o.Trace.Line(fmt.Sprintf("%12v ", time.Duration(s.now)) + fmt.Sprintf(format, args...))
}

func (s *sim) nodeName(i int32) string {
	switch {
	case i == nobody:
		return "nobody"
	case int(i) >= len(s.nodes):
		return fmt.Sprintf("n%d, a name of n%d", i, s.nodeOf(i))
	}
	return fmt.Sprintf("n%d", i)
}

// what a message is, in a word.
func (m *msg) what() string {
	switch m.typ {
	case mesh.TypeProbe:
		return "a probe"
	case mesh.TypeReply:
		return "the reply"
	case mesh.TypeReceipt:
		return "a receipt"
	}
	return "it"
}
