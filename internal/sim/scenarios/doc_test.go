package scenarios

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/report"
)

// rows gives the first column of the tables in a section of the page.
func rows(t *testing.T, section string) map[string]bool {
	t.Helper()
	page, err := os.ReadFile("../../../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("docs/simulation.md has no section %s", section)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	out := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z0-9.-]+)` \\|").FindAllStringSubmatch(text, -1) {
		out[m[1]] = true
	}
	return out
}

// compareRows checks that a page lists what there is, and nothing else.
func compareRows(t *testing.T, what string, listed, there map[string]bool) {
	t.Helper()
	for name := range there {
		if !listed[name] {
			t.Errorf("docs/simulation.md does not explain the %s %s", what, name)
		}
	}
	for name := range listed {
		if !there[name] {
			t.Errorf("docs/simulation.md explains %s, which is no %s", name, what)
		}
	}
}

// walk notes the keys of a struct and of what is in it. A link is described
// once, under the first key that is one.
func walk(typ reflect.Type, path string, out map[string]bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := join(path, tag(f))
		out[key] = true
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && (inner != reflect.TypeFor[sim.Link]() || path == "") {
			walk(inner, key, out)
		}
	}
}

func TestKeysAreDocumented(t *testing.T) {
	there := make(map[string]bool)
	walk(reflect.TypeFor[sim.Scenario](), "", there)
	compareRows(t, "key", rows(t, "Keys"), there)
}

func TestFiguresAreDocumented(t *testing.T) {
	there := make(map[string]bool)
	for _, f := range report.Figures() {
		there[f.Name] = true
	}
	compareRows(t, "figure", rows(t, "Figures"), there)
}

func TestLibraryIsDocumented(t *testing.T) {
	there := make(map[string]bool)
	for _, name := range Names() {
		there[name] = true
	}
	compareRows(t, "scenario", rows(t, "The library"), there)
}

// TestExample reads and checks the scenario that the page teaches with.
func TestExample(t *testing.T) {
	page, err := os.ReadFile("../../../docs/simulation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```yaml\n")
	text, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example")
	}
	s := parsed(t, text)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	r, err := sim.Run(t.Context(), s, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Passed(r) {
		t.Errorf("the example fails: %v, %v lies", r.Missed, r.Figures["lies"])
	}
}
