package netns_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/meshnode/meshnode/testground/netns"
)

var programDir string

// program is built by the first test that needs it.
var program = sync.OnceValues(func() (string, error) { return netns.Build(programDir) })

func TestMain(m *testing.M) {
	var err error
	if programDir, err = netns.Scratch(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(programDir); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}
