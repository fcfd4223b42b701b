package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// column gives the first texts that a pattern captures.
func column(text, pattern string) map[string]bool {
	out := make(map[string]bool)
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out[m[1]] = true
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)

// TestLinks follows every link from page to page.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	followed := 0
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), m[1])
			}
			followed++
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if m[2] != "" && !anchors(read(t, target))[m[2]] {
				t.Errorf("%s: %s has no heading %s", page, target, m[2])
			}
		}
	}
	if followed == 0 {
		t.Error("no link was followed")
	}
}

// anchors gives the fragments of a page's headings.
func anchors(page string) map[string]bool {
	out := make(map[string]bool)
	for h := range column(page, `(?m)^#+ (.*)$`) {
		id := strings.ReplaceAll(strings.ToLower(h), " ", "-")
		out["#"+regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(id, "")] = true
	}
	return out
}

// TestStatuses: the protocol lists every status under its number and name.
func TestStatuses(t *testing.T) {
	page := read(t, "protocol.md")
	for n := range 1000 {
		name := mesh.Status(n).String()
		known := name != fmt.Sprintf("status %d", n)
		listed := strings.Contains(page, fmt.Sprintf("\n| %d | %s |", n, name))
		if known && !listed {
			t.Errorf("protocol.md does not list %d as %q", n, name)
		}
		if !known && strings.Contains(page, fmt.Sprintf("\n| %d | ", n)) && n >= 100 {
			t.Errorf("protocol.md lists %d, which is no status", n)
		}
	}
}

// TestCounters: operations.md explains the counters that there are.
func TestCounters(t *testing.T) {
	n, err := meshnode.New(t.Context(), meshnode.WithMDNS(false), meshnode.WithListen("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	_, rest, ok := strings.Cut(read(t, "operations.md"), "\n## Counters\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	if !ok {
		t.Fatal("operations.md has no section Counters")
	}
	listed := column(section, "(?m)^\\| `([a-z_]+)` \\|")
	for name := range n.Status().Counters {
		if !listed[name] {
			t.Errorf("operations.md does not explain the counter %s", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("operations.md explains %s, which is no counter", name)
	}
}

// TestErrorCodes: operations.md names codes that there are.
func TestErrorCodes(t *testing.T) {
	for code := range column(read(t, "operations.md"), `(MN-\d{4})`) {
		if _, ok := api.Explain(code); !ok {
			t.Errorf("operations.md names %s, which is no error code", code)
		}
	}
}

// TestLimitNames: what limits.md says holds a limit is declared somewhere.
func TestLimitNames(t *testing.T) {
	declared := make(map[string]bool)
	for _, root := range []string{"../pkg", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			declare(f, declared)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	names := 0
	for _, row := range regexp.MustCompile(`(?m)^\|.*\|([^|]*)\|$`).FindAllStringSubmatch(read(t, "limits.md"), -1) {
		for name := range column(row[1], "`([^`]+)`") {
			names++
			last := name[strings.LastIndex(name, ".")+1:]
			if !declared[last] {
				t.Errorf("limits.md names %s, which nothing declares", name)
			}
		}
	}
	if names == 0 {
		t.Error("limits.md names nothing")
	}
}

// declare notes the names of constants, fields and functions, and the keys of
// struct tags, which are the names in the config file.
func declare(f *ast.File, out map[string]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for _, id := range n.Names {
				out[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				out[id.Name] = true
			}
			if n.Tag != nil {
				for key := range column(n.Tag.Value, `yaml:"([a-z_]+)`) {
					out[key] = true
				}
			}
		case *ast.FuncDecl:
			out[n.Name.Name] = true
		}
		return true
	})
}
