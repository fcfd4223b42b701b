package router

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/mesh"
)

var update = flag.Bool("update", false, "write the expected output of the scripts")

// TestScripts runs testdata/*.txt: commands, a line of ----, and what they
// print. A newcomer can read each as a story.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(in))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(in) {
				t.Errorf("%s: got\n%s", file, got)
			}
		})
	}
}

func runScript(t *testing.T, in string) string {
	reset()
	n := newNetwork(7)
	n.verbose = true
	var out strings.Builder
	inOutput := false
	for line := range strings.Lines(in) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "----":
			inOutput = true
			out.WriteString("----\n")
			for _, l := range n.trace {
				out.WriteString(l + "\n")
			}
			n.trace = nil
			continue
		case inOutput && line != "":
			continue // what was expected
		case line == "":
			inOutput = false
		case !strings.HasPrefix(line, "#"):
			if err := n.command(strings.Fields(line)); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
		out.WriteString(line + "\n")
	}
	for _, b := range n.badHops {
		t.Error(b)
	}
	return out.String()
}

func (n *network) command(f []string) error {
	args := f[1:]
	switch f[0] {
	case "nodes", "link": // a-b-c: a line; more lines may follow
		for _, chain := range args {
			names := strings.Split(chain, "-")
			n.node(names[0])
			for i := 1; i < len(names); i++ {
				n.link(names[i-1], names[i], time.Millisecond)
			}
		}
	case "slow-link": // a-b 50ms
		names := strings.Split(args[0], "-")
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		n.link(names[0], names[1], d)
	case "cut":
		for _, l := range args {
			names := strings.Split(l, "-")
			n.cut(names[0], names[1])
		}
	case "silent": // the link loses everything and nobody is told, until it is suspect
		names := strings.Split(args[0], "-")
		a, b := n.node(names[0]), n.node(names[1])
		a.links[b.name].silent, b.links[a.name].silent = true, true
	case "suspect":
		names := strings.Split(args[0], "-")
		a := n.node(names[0])
		a.r.Suspect(n.now, a.links[names[1]].port, true)
		a.act()
	case "kill":
		n.kill(args[0])
	case "serve": // d inventory region=eu
		s := n.node(args[0])
		attrs := mesh.Attributes{}
		for _, kv := range args[2:] {
			k, v, _ := strings.Cut(kv, "=")
			attrs[k] = v
		}
		s.r.SetLocal(n.now, args[1], []mesh.Attributes{attrs})
		s.act()
	case "withdraw":
		s := n.node(args[0])
		s.r.SetLocal(n.now, args[1], nil)
		s.act()
	case "say": // what a node's handlers answer
		st, err := statusNamed(args[1])
		if err != nil {
			return err
		}
		n.node(args[0]).say = st
	case "drain":
		n.node(args[0]).r.Drain(n.now, true)
	case "handler": // b takes 2s
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		n.node(args[0]).slow = d
	case "sweep":
		for _, name := range n.names {
			n.nodes[name].r.Sweep(n.now)
			n.nodes[name].act()
		}
	case "wait":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		n.run(d)
	case "start", "publish", "request", "all": // a inventory [ttl=2] [fire] [failover] [for=5s]
		var life = 30 * time.Second
		res, id := n.publish(args[0], args[1], func(p *Pub) {
			p.Request = f[0] == "request"
			if f[0] == "all" {
				p.Mode = mesh.ModeAll
			}
			for _, o := range args[2:] {
				k, v, _ := strings.Cut(o, "=")
				switch k {
				case "ttl":
					x, _ := strconv.Atoi(v)
					p.TTL = uint8(x)
				case "fire":
					p.Class = mesh.ClassFire
				case "failover":
					p.Failover = true
				case "for":
					life, _ = time.ParseDuration(v)
				}
			}
			p.Expires = n.now.Add(life)
		})
		if f[0] == "start" {
			started[id] = res
			return nil
		}
		for range 2000 {
			if res.done {
				break
			}
			n.run(20 * time.Millisecond)
		}
		n.report(res, id)
	case "finish":
		for id, res := range started {
			for range 2000 {
				if res.done {
					break
				}
				n.run(20 * time.Millisecond)
			}
			n.report(res, id)
			delete(started, id)
		}
	case "routes":
		s := n.node(args[0])
		for _, v := range s.r.Routes(n.now) {
			n.log("%s to %s by %s, %d hops, proven %v", s.name, nodeName(v.To), nodeName(v.Via), v.Hops, v.Proven)
		}
	case "quiet":
		n.verbose = false
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}

var started = map[mesh.ID]*result{}

func (n *network) report(res *result, id mesh.ID) {
	for _, o := range res.all {
		n.log("%s says %v, %d hops", nodeName(o.Provider), o.Status, o.Hops)
	}
	switch {
	case !res.done:
		n.log("no word")
	case len(res.all) > 0 || res.Provider == "":
		n.log("= %v after %v", res.Status, res.at)
	default:
		n.log("= %v by %s over %d hops after %v", res.Status, nodeName(res.Provider), res.Hops, res.at)
	}
	ran := n.effects[id]
	if len(ran) > 1 {
		var names []string
		for _, p := range ran {
			names = append(names, nodeName(p))
		}
		slices.Sort(names)
		n.log("handled by %s", strings.Join(names, ", "))
	}
}

func statusNamed(s string) (mesh.Status, error) {
	for _, st := range []mesh.Status{mesh.StatusOK, mesh.StatusBusy, mesh.StatusDraining, mesh.StatusHandlerFailed} {
		if strings.ReplaceAll(st.String(), " ", "-") == s {
			return st, nil
		}
	}
	return 0, fmt.Errorf("no status %q", s)
}
