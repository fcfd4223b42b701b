package netns_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/testground/netns"
)

func TestCutIsSilentAndHeals(t *testing.T) {
	l := netns.New(t)
	a, b := l.Host("a"), l.Host("b")
	cable := l.Connect(a, b, "10.1.0.0/24")

	reach(t, a, b.Addr(cable))
	l.Cut(b)
	if err := a.Reaches(b.Addr(cable)); err == nil {
		t.Fatal("a reaches b over a cut cable")
	}
	if out, err := a.Run("ip", "link", "show", "eth0"); err != nil || strings.Contains(out, "NO-CARRIER") {
		t.Fatalf("a was told of the cut: %v: %s", err, out)
	}
	l.Heal(b)
	reach(t, a, b.Addr(cable))
}

func TestOnlyNeighboursReachEachOther(t *testing.T) {
	l := netns.New(t)
	a, b, c := l.Host("a"), l.Host("b"), l.Host("c")
	ab := l.Connect(a, b, "10.1.0.0/24")
	bc := l.Connect(b, c, "10.2.0.0/24")
	// Even with routes, since b does not forward.
	a.Through(b, ab)
	c.Through(b, bc)

	reach(t, a, b.Addr(bc))
	if err := a.Reaches(c.Addr(bc)); err == nil {
		t.Fatal("a reaches c, through a host that is no router")
	}
}

func TestMasqueradeShowsOneAddress(t *testing.T) {
	netns.Require(t, "nft")
	l := netns.New(t)
	public, gate, inside := l.Host("public"), l.Host("gate"), l.Host("inside")
	outer := l.Switch("10.8.0.0/16", public, gate)
	inner := l.Switch("10.9.0.0/16", gate, inside)
	l.Masquerade(gate, inner, outer)
	inside.Through(gate, inner)

	// public has no way back into the inner network.
	reach(t, inside, public.Addr(outer))
	public.Through(gate, outer)
	if err := public.Reaches(inside.Addr(inner)); err == nil {
		t.Fatal("a host outside reaches one inside")
	}
}

func TestLabsSideBySideLeaveNothing(t *testing.T) {
	netns.Require(t, "ip")
	var ids []string
	t.Run("labs", func(t *testing.T) {
		for range 2 {
			l := netns.New(t)
			a, b := l.Host("a"), l.Host("b")
			reach(t, a, b.Addr(l.Connect(a, b, "10.1.0.0/24")))
			ids = append(ids, l.ID())
		}
		if n := len(spaces(t, ids)); n != 6 {
			t.Errorf("two labs have %d namespaces: want 3 each", n)
		}
	})
	if left := spaces(t, ids); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOrphansAreRemoved(t *testing.T) {
	netns.Require(t, "ip")
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	name := netns.NameOf(gone.Process.Pid)
	dir := filepath.Join(os.TempDir(), name)
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, os.Mkdir(dir, 0o700))
	sleeper := exec.Command("ip", "netns", "exec", name, "sleep", "60")
	check(t, sleeper.Start())
	check(t, netns.Until(5*time.Second, func() (string, bool) {
		out, err := exec.Command("ip", "netns", "pids", name).CombinedOutput()
		return string(out), err == nil && len(out) > 0
	}))

	check(t, netns.RemoveOrphans())
	if err := sleeper.Wait(); err == nil {
		t.Error("the process slept to its end")
	}
	if left := spaces(t, []string{name}); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("left behind: %s: %v", dir, err)
	}
}

func TestUntilGivesTheLastWord(t *testing.T) {
	n := 0
	err := netns.Until(120*time.Millisecond, func() (string, bool) {
		n++
		return strings.Repeat("I", n), false
	})
	if err == nil || n < 2 || !strings.HasSuffix(err.Error(), ": "+strings.Repeat("I", n)) {
		t.Fatalf("after %d tries: %v", n, err)
	}
	if err := netns.Until(0, func() (string, bool) { return "", true }); err != nil {
		t.Fatal(err)
	}
}

// spaces lists the namespaces whose names begin with one of the words.
func spaces(t *testing.T, words []string) []string {
	t.Helper()
	all, err := netns.Spaces()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(ns string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(ns, w) })
	})
}
