package netns

import (
	"os"
	"os/exec"
	"testing"
)

// Require skips the test without root or one of the programs, and fails it
// instead when CI=true, so that a pipeline cannot pass by skipping.
func Require(t testing.TB, programs ...string) {
	t.Helper()
	give := t.Skipf
	if os.Getenv("CI") == "true" {
		give = t.Fatalf
	}
	if os.Geteuid() != 0 {
		give("namespaces need root: sudo go test ./testground/netns/")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			give("%s is needed: %v", p, err)
		}
	}
}
