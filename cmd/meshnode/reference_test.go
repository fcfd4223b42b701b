package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

var update = flag.Bool("update", false, "write docs/reference/cli.md")

// TestReference keeps docs/reference/cli.md the same as the program's help.
func TestReference(t *testing.T) {
	a, _, _ := testApp(false)
	var b bytes.Buffer
	b.WriteString("# The command line\n\nMade by `go test ./cmd/meshnode -run TestReference -update`.\n")
	root := a.root()
	fmt.Fprintf(&b, "\n## Flags of every command\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	for _, c := range root.Commands() {
		describe(&b, c)
	}
	b.WriteString("\n## Settings\n\nKeys of `meshnode.yaml`. A flag goes before the variable, the variable before the file.\n\n| key | flag | variable | meaning |\n|---|---|---|---|\n")
	for _, f := range fields {
		name := "`--" + f.flag + "`"
		switch {
		case f.key == "mdns":
			name = "`--no-mdns`"
		case f.flag == "":
			name = "`--" + strings.ReplaceAll(f.key, "_", "-") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", f.key, name, f.env(), strings.ReplaceAll(f.usage, "`", ""))
	}
	b.WriteString("\n## Error codes\n\n| code | exit | HTTP | meaning | usual cause | try |\n|---|---|---|---|---|---|\n")
	for _, e := range api.Entries() {
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %s | %s |\n", e.Code, e.Exit, e.HTTP, e.Title, e.Cause, e.Next)
	}
	file := filepath.Join("..", "..", "docs", "reference", "cli.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the program says: run this test with -update", file)
	}
}

func describe(b *bytes.Buffer, c *cobra.Command) {
	if c.Name() == "help" || c.Name() == "completion" {
		return
	}
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n```\n", c.CommandPath(), text, strings.TrimSpace(c.UseLine()))
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: %s.\n", strings.Join(c.Aliases, ", "))
	}
	if usage := c.LocalNonPersistentFlags().FlagUsages(); usage != "" {
		fmt.Fprintf(b, "\n```\n%s```\n", usage)
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.Example)
	}
	for _, child := range c.Commands() {
		describe(b, child)
	}
}
