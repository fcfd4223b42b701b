// ML-KEM is a fifth of what a thousand TLS handshakes cost, and protects
// nothing in here.
//
//go:debug tlsmlkem=0

package hosts

import (
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The hosts' memory is small against the machine's, and a collection walks
	// all of it.
	debug.SetGCPercent(400)
	goleak.VerifyTestMain(m)
}

// most bounds the number of nodes that is not asked for.
var most = 1 << 20

// count is the number of nodes: MESHNODE_HOSTS, or what is given.
func count(t *testing.T, n int) int {
	t.Helper()
	text, ok := os.LookupEnv("MESHNODE_HOSTS")
	if !ok {
		return min(n, most)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("MESHNODE_HOSTS is %q: need a number of nodes", text)
	}
	return n
}
