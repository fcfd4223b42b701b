//go:build unix

package meshnode_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meshnode/meshnode"
)

// The program on the first page; TestReadme compares the two.
func Example_readme() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	local := meshnode.Option(func(c *meshnode.Config) error {
		c.MDNS, c.Listen = false, []string{"/ip4/127.0.0.1/tcp/0"}
		return nil
	})

	ada, _ := meshnode.New(ctx, meshnode.WithName("ada"), local)
	defer ada.Close()
	bob, _ := meshnode.New(ctx, meshnode.WithName("bob"), local, meshnode.WithPeers(ada.Addrs()[0]))
	defer bob.Close()
	bob.Handle("greet", func(ctx context.Context, m *meshnode.Message) (meshnode.Reply, error) {
		return meshnode.Text("hello " + string(m.Payload)), nil
	})
	ada.Wait(ctx, meshnode.PeersAtLeast(1))
	r, err := ada.Request(ctx, "greet", []byte("world"))
	fmt.Println(string(r.Payload), err)
	// Output: hello world <nil>
}

// block is one fenced block of the page, with the remark behind it.
type block struct {
	line   int
	lang   string
	text   string
	remark string // of <!-- … -->, empty for none
}

var fence = regexp.MustCompile("(?m)^```(\\w+)\n((?s:.*?))^```\n(?:<!-- (.*) -->\n)?")

func blocks(page string) []block {
	var out []block
	for _, m := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := block{line: 1 + strings.Count(page[:m[0]], "\n"), lang: page[m[2]:m[3]], text: page[m[4]:m[5]]}
		if m[6] >= 0 {
			b.remark = page[m[6]:m[7]]
		}
		out = append(out, b)
	}
	return out
}

var remark = regexp.MustCompile(`^test: terminal (\d)(, stays| shows)?$`)

// TestReadme types the blocks of the first page into terminals, and waits for
// the lines that the page shows.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the command: run the tests without -short")
	}
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	this, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := playground(t)
	terminals := make(map[string]*terminal)
	typed := 0
	for _, b := range blocks(string(page)) {
		m := remark.FindStringSubmatch(b.remark)
		switch {
		case b.lang == "go":
			if !strings.Contains(string(this), b.text) {
				t.Fatalf("README.md:%d: the program is not the one in Example_readme", b.line)
			}
			continue
		case strings.HasPrefix(b.remark, "not run: "):
			continue
		case m == nil:
			t.Fatalf("README.md:%d: the block is not marked for the test: %q", b.line, b.remark)
		}
		term := terminals[m[1]]
		if term == nil {
			term = openTerminal(t, dir)
			terminals[m[1]] = term
		}
		if m[2] == " shows" {
			term.expect(b.line, strings.Split(strings.TrimSpace(b.text), "\n"))
			continue
		}
		commands, shown := split(b.text)
		typed++
		term.done = fmt.Sprintf("=== %d", typed)
		term.write(commands + "echo '" + term.done + "'\n")
		term.expect(b.line, shown)
		if m[2] == "" {
			term.expect(b.line, []string{term.done})
		}
	}
	if typed == 0 {
		t.Fatal("no block was run")
	}
}

// split parts what is typed from what is shown.
func split(text string) (commands string, shown []string) {
	for l := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(l, "#> "); ok {
			shown = append(shown, strings.TrimSpace(s))
			continue
		}
		commands += l
	}
	return commands, shown
}

// playground is a directory with the command in it; its path is short, since
// a socket's must be.
func playground(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "meshnode"), "./cmd/meshnode")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

// terminal is a shell, and what it has printed.
type terminal struct {
	t    *testing.T
	in   io.Writer
	done string // printed when the last block has ended

	mu    sync.Mutex
	lines []string
	ended bool
	more  chan struct{} // has a value when there may be more lines
	next  int           // first line not yet expected
}

func openTerminal(t *testing.T, dir string) *terminal {
	t.Helper()
	cmd := exec.Command("sh")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	home := filepath.Join(dir, "home")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	term := &terminal{t: t, in: in, more: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		term.read(r)
	}()
	t.Cleanup(func() {
		in.Close()
		// The group outlives the shell when a block left something behind.
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		<-read
		r.Close()
	})
	return term
}

func (s *terminal) read(r io.Reader) {
	in := bufio.NewScanner(r)
	for in.Scan() {
		s.put(in.Text(), false)
	}
	s.put("", true)
}

func (s *terminal) put(line string, ended bool) {
	s.mu.Lock()
	if ended {
		s.ended = true
	} else {
		s.lines = append(s.lines, line)
	}
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *terminal) write(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, text); err != nil {
		s.t.Fatal(err)
	}
}

// expect waits for lines, in this order; others may stand between them.
func (s *terminal) expect(at int, want []string) {
	s.t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for _, w := range want {
		pattern := like(w)
		for {
			line, ok, ended := s.line()
			if ok && pattern.MatchString(line) {
				break
			}
			if ended || ok && line == s.done {
				s.t.Fatalf("README.md:%d: the terminal did not show %q:\n%s", at, w, s.all())
			}
			if ok {
				continue
			}
			select {
			case <-s.more:
			case <-deadline.C:
				s.t.Fatalf("README.md:%d: the terminal does not show %q:\n%s", at, w, s.all())
			}
		}
	}
}

func (s *terminal) line() (line string, ok, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.lines) {
		return "", false, s.ended
	}
	s.next++
	return s.lines[s.next-1], true, false
}

func (s *terminal) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// like makes a pattern of a shown line: … is anything, space is any space.
func like(shown string) *regexp.Regexp {
	words := strings.Fields(shown)
	for i, w := range words {
		words[i] = strings.ReplaceAll(regexp.QuoteMeta(w), "…", ".*")
	}
	return regexp.MustCompile(`^\s*` + strings.Join(words, `\s+`) + `$`)
}
