package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// testApp is an app whose streams a test can read.
func testApp(tty bool) (a *app, out, talk *bytes.Buffer) {
	out, talk = new(bytes.Buffer), new(bytes.Buffer)
	return &app{
		stdin: strings.NewReader(""), stdout: out, stderr: talk, tty: tty, format: "text",
		getenv: func(string) string { return "" },
	}, out, talk
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"grüße 東京 🙂":          "grüße 東京 🙂",
		"a\nb\tc":             "a\nb\tc",
		"\x1b[2J\x1b]0;x\x07": `\x1b[2J\x1b]0;x\x07`,
		"a\rb\x00\x7f":        `a\x0db\x00\x7f`,
		"\u009b31m":           `\u009b31m`,
		"user\u202etxt.exe":   `user\u202etxt.exe`,
		"\xff\xfe":            `\xff\xfe`,
		"line\u2028":          `line\u2028`,
	} {
		if got := escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPayload(t *testing.T) {
	evil := []byte("a\x1b[31m\n")
	for _, tc := range []struct {
		tty, raw bool
		want     string
	}{
		{true, false, "a\\x1b[31m\n"},
		{true, true, "a\x1b[31m\n"},
		{false, false, "a\x1b[31m\n"},
		{false, true, "a\x1b[31m\n"},
	} {
		a, out, _ := testApp(tc.tty)
		if err := a.payload(evil, tc.raw); err != nil || out.String() != tc.want {
			t.Errorf("tty %v raw %v: %q, %v", tc.tty, tc.raw, out, err)
		}
	}
	a, out, _ := testApp(false)
	if err := a.payload([]byte("x"), false); err != nil || out.String() != "x\n" {
		t.Errorf("%q, %v: the line must end", out, err)
	}
	if string(evil) != "a\x1b[31m\n" {
		t.Error("the caller's bytes were changed")
	}
}

func TestTable(t *testing.T) {
	rows := [][]string{{"orders", "1"}, {"x\x1b\ty", "22"}}
	a, out, _ := testApp(true)
	if err := a.table([]string{"SERVICE", "HOPS"}, rows); err != nil {
		t.Fatal(err)
	}
	if want := "SERVICE  HOPS\norders   1\nx\\x1b y  22\n"; out.String() != want {
		t.Errorf("on a terminal:\n%s", out)
	}
	a, out, _ = testApp(false)
	if err := a.table([]string{"SERVICE", "HOPS"}, rows); err != nil {
		t.Fatal(err)
	}
	if want := "orders\t1\nx\\x1b y\t22\n"; out.String() != want {
		t.Errorf("in a pipe:\n%s", out)
	}
}

func TestListAsJSON(t *testing.T) {
	type thing struct {
		N int `json:"n,omitempty"`
	}
	a, out, _ := testApp(false)
	a.format = "jsonl"
	if err := list(a, nil, []thing{{1}, {0}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"apiVersion":"v1","n":1}` + "\n" + `{"apiVersion":"v1"}` + "\n"; out.String() != want {
		t.Errorf("%s", out)
	}
	a, out, _ = testApp(false)
	a.format = "json"
	if err := list(a, api.Done{Head: head, Done: "x"}, []thing{}, nil, nil); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%s, %v", out, err)
	}
}

func TestErrorsArePrintedSafely(t *testing.T) {
	a, out, talk := testApp(true)
	a.colour, a.noColor = true, true
	a.printError(api.Fail(api.ErrNotFound, "service \"\x1b[2J\""))
	if strings.Contains(talk.String(), "\x1b") || !strings.Contains(talk.String(), "[MN-0105]") || out.Len() > 0 {
		t.Errorf("%q", talk)
	}
	a.format = "jsonl"
	talk.Reset()
	a.printError(mesh.ErrNoProvider)
	var p api.Problem
	if err := json.Unmarshal(talk.Bytes(), &p); err != nil || p.Exit != api.ExitNotFound || p.APIVersion != "v1" {
		t.Errorf("%s, %v", talk, err)
	}
}

func TestHintKeepsTheKind(t *testing.T) {
	err := hint(mesh.ErrNoProvider, "meshnode dance")
	if p := api.NewProblem(err); !errors.Is(err, mesh.ErrNoProvider) || p.Hint != "meshnode dance" {
		t.Errorf("%+v", p)
	}
}

func TestQuietSaysNothing(t *testing.T) {
	a, _, talk := testApp(true)
	a.quiet = true
	a.say("hello")
	if talk.Len() > 0 {
		t.Errorf("%q", talk)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "-", 1234 * time.Nanosecond: "1µs", 1234567 * time.Nanosecond: "1.23ms", 1234567 * time.Microsecond: "1.23s",
	} {
		if got := short(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

func TestPartly(t *testing.T) {
	for _, tc := range []struct {
		ok, failed int
		want       int
	}{{3, 0, api.ExitOK}, {0, 3, api.ExitNotFound}, {2, 1, api.ExitPartly}} {
		err := partly(tc.ok, tc.failed, mesh.ErrNoProvider)
		if got := 0; err != nil {
			got = api.Lookup(err).Exit
			if got != tc.want {
				t.Errorf("%+v: exit %d", tc, got)
			}
		} else if tc.want != 0 {
			t.Errorf("%+v: no error", tc)
		}
	}
}

func TestRunGivesTheExitCode(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		ctx  context.Context
		args []string
		want int
	}{
		{t.Context(), []string{"version"}, api.ExitOK},
		{t.Context(), []string{"nonsense"}, api.ExitUsage},
		{t.Context(), []string{"errors", "MN-9"}, api.ExitNotFound},
		{t.Context(), []string{"status", "--api", "/nowhere/at/all"}, api.ExitNoDaemon},
		{canceled, []string{"status", "--api", "/nowhere/at/all"}, api.ExitInterrupted},
	} {
		a, _, talk := testApp(false)
		if got := a.run(tc.ctx, tc.args); got != tc.want {
			t.Errorf("%v: exit %d, want %d: %s", tc.args, got, tc.want, talk)
		}
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	a, _, _ := testApp(false)
	root := a.root()
	for todo := root.Commands(); len(todo) > 0; {
		c := todo[0]
		todo = append(todo[1:], c.Commands()...)
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Short == "" {
			t.Errorf("%s has no short help", c.CommandPath())
		}
		if n := len(strings.Split(c.Example, "\n")); n < 2 {
			t.Errorf("%s has %d examples, want 2", c.CommandPath(), n)
		}
		if c.Parent() == root && c.GroupID == "" {
			t.Errorf("%s is in no group", c.CommandPath())
		}
	}
}

func TestSchemaAndSettingsAgree(t *testing.T) {
	properties := schema()["properties"].(map[string]any)
	typ := reflect.TypeFor[settings]()
	if typ.NumField() != len(fields) || len(properties) != len(fields) {
		t.Errorf("%d settings, %d in the table, %d in the schema", typ.NumField(), len(fields), len(properties))
	}
	var s settings
	for i, f := range fields {
		if tag := typ.Field(i).Tag.Get("yaml"); tag != f.key {
			t.Errorf("setting %d is %q in the file and %q in the table", i, tag, f.key)
		}
		if f.ptr(&s) != reflect.ValueOf(&s).Elem().Field(i).Addr().Interface() {
			t.Errorf("%s points to another field", f.key)
		}
		if value(f.ptr(&s)) == nil {
			t.Errorf("%s has a type that is not shown", f.key)
		}
	}
}
