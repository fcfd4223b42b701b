package meshnode_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/meshnode/meshnode"

// floors of the house, from the ground up: a package imports what is below
// it, or what is in the same folder. docs/architecture.md draws it. The first
// prefix that fits counts.
var floors = []struct {
	folder string
	floor  int
}{
	{"pkg/mesh/pb", 0},
	{"pkg/mesh", 1},
	{"pkg/transport", 2},
	{"pkg/servicerouting", 2},
	{"pkg/control", 2},
	{"pkg/store", 2},
	{"pkg/tunnel", 2},
	{"pkg/api", 4},
	{"typed", 4},
	{"meshtest", 5},
	{"cmd", 6},
}

const rootFloor = 3

// pure packages decide: time, chance and IO come in by arguments.
var pure = []string{"pkg/mesh", "pkg/servicerouting/router", "pkg/servicerouting/ledger"}

// impure imports, by prefix.
var impure = []string{"context", "sync", "log", "net", "os", "io/ioutil", "syscall", "math/rand"}

const maxLines = 500

// source is one parsed file of the project.
type source struct {
	path      string // with slashes, from the module's root
	folder    string
	file      *ast.File
	fset      *token.FileSet
	lines     int
	test      bool
	generated bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(path), fset: token.NewFileSet(), lines: bytes.Count(b, []byte("\n")), test: strings.HasSuffix(name, "_test.go")}
		s.folder = filepath.ToSlash(filepath.Dir(path))
		if s.file, err = parser.ParseFile(s.fset, path, b, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
		s.generated = ast.IsGenerated(s.file)
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no Go files found")
	}
	return out
}

// in tells whether a folder is, or is below, another.
func in(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// floorOf gives the floor of a folder and what it shares it with; false for
// the helpers aside (internal, testground, tools).
func floorOf(folder string) (floor int, part string, ok bool) {
	if folder == "." {
		return rootFloor, ".", true
	}
	for _, f := range floors {
		if in(folder, f.folder) {
			return f.floor, f.folder, true
		}
	}
	return 0, "", false
}

// ours gives the imports of a file from this module, as folders.
func ours(s source) []string {
	var out []string
	for _, path := range imports(s) {
		switch {
		case path == module:
			out = append(out, ".")
		case strings.HasPrefix(path, module+"/"):
			out = append(out, strings.TrimPrefix(path, module+"/"))
		}
	}
	return out
}

func imports(s source) []string {
	var out []string
	for _, i := range s.file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		out = append(out, path)
	}
	return out
}

// TestLayers keeps the floors apart: nothing imports upward, and the parts
// (transport, servicerouting, …) do not import one another.
func TestLayers(t *testing.T) {
	for _, s := range sources(t) {
		from, fromPart, ok := floorOf(s.folder)
		if !ok {
			continue
		}
		for _, folder := range ours(s) {
			to, toPart, ok := floorOf(folder)
			if s.test && to > from { // tests may use what stands on what they test
				continue
			}
			if ok && to >= from && toPart != fromPart {
				t.Errorf("%s imports %s: %s is not below %s", s.path, folder, toPart, fromPart)
			}
		}
	}
}

// TestPure keeps goroutines, clocks, locks, logs and IO out of what decides.
func TestPure(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.generated || !slices.Contains(pure, s.folder) {
			continue
		}
		for _, path := range imports(s) {
			for _, bad := range impure {
				if in(path, bad) && path != "math/rand/v2" {
					t.Errorf("%s imports %s: the package is pure", s.path, path)
				}
			}
		}
		for _, folder := range ours(s) {
			if !in(folder, "pkg/mesh") {
				t.Errorf("%s imports %s: the package knows nothing but pkg/mesh", s.path, folder)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if what := impurity(n); what != "" {
				t.Errorf("%v: %s: the package is pure", s.fset.Position(n.Pos()), what)
			}
			return true
		})
	}
}

// impurity names what a node does that a pure function does not.
func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SelectorExpr:
		pkg, ok := n.X.(*ast.Ident)
		if !ok {
			return ""
		}
		switch {
		case pkg.Name == "time" && slices.Contains([]string{
			"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer",
		}, n.Sel.Name):
			return "time." + n.Sel.Name
		case pkg.Name == "rand" && !slices.Contains([]string{"New", "NewPCG", "NewChaCha8", "Rand", "Source"}, n.Sel.Name):
			return "rand." + n.Sel.Name + ", which has no seed"
		}
	}
	return ""
}

// TestPackageDocs: every package says what it does.
func TestPackageDocs(t *testing.T) {
	docs := make(map[string]string)
	for _, s := range sources(t) {
		if strings.HasSuffix(s.file.Name.Name, "_test") {
			continue
		}
		if _, seen := docs[s.folder]; !seen {
			docs[s.folder] = ""
		}
		if s.file.Doc == nil {
			continue
		}
		text := s.file.Doc.Text()
		want := fmt.Sprintf("Package %s ", s.file.Name.Name)
		if s.file.Name.Name == "main" {
			want = "Command "
		}
		if !s.generated && !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package's doc begins with %.20q, not with %q", s.path, text, want)
		}
		docs[s.folder] += text
	}
	for folder, doc := range docs {
		if doc == "" {
			t.Errorf("%s: no file has a doc comment for the package", folder)
		}
	}
}

// TestFileLength: a file holds one idea.
func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if !s.generated && s.lines > maxLines {
			t.Errorf("%s has %d lines, at most %d", s.path, s.lines, maxLines)
		}
	}
}
