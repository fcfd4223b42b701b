package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

// say prints a remark, unless -q.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// printError prints an error as a sentence, its cause and the next command.
func (a *app) printError(err error) {
	p := api.NewProblem(err)
	if a.format == "json" || a.format == "jsonl" {
		_ = a.encode(a.stderr, p)
		return
	}
	mark := func(s string) string { return s }
	if a.colour && !a.noColor {
		mark = func(s string) string { return "\x1b[31m" + s + "\x1b[0m" }
	}
	fmt.Fprintf(a.stderr, "%s %s\n", mark("meshnode:"), escape(p.Error()))
	if where, ok := errors.AsType[*mesh.AddressError](err); ok {
		fmt.Fprintln(a.stderr, where.Caret())
	}
	if p.Code == "MN-0112" {
		return
	}
	fmt.Fprintf(a.stderr, "  why: %s [%s]\n  try: %s\n", escape(p.Cause), p.Code, escape(p.Hint))
}

// hint replaces the next command of an error's code by a better one.
func hint(err error, next string) error {
	p := *api.NewProblem(err)
	p.Hint = next
	return &p
}

// encode writes one JSON object, over several lines for people who asked for
// json, on one line otherwise.
func (a *app) encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if a.format == "json" {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// object prints v as JSON, or calls text.
func (a *app) object(v any, text func() error) error {
	if a.format == "text" {
		return text()
	}
	return a.encode(a.stdout, v)
}

// versioned puts apiVersion in front of a JSON object that has none.
func versioned(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	fields := bytes.TrimSpace(b.Bytes())[1:]
	sep := ","
	if fields[0] == '}' {
		sep = ""
	}
	return append([]byte(`{"apiVersion":"`+api.Version+`"`+sep), fields...), nil
}

// list prints a list: as a whole (json), one object a line (jsonl), or as a
// table.
func list[T any](a *app, whole any, items []T, columns []string, row func(T) []string) error {
	switch a.format {
	case "json":
		return a.encode(a.stdout, whole)
	case "jsonl":
		for _, it := range items {
			v, err := versioned(it)
			if err != nil {
				return err
			}
			if err := a.encode(a.stdout, v); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, 0, len(items))
	for _, it := range items {
		rows = append(rows, row(it))
	}
	return a.table(columns, rows)
}

// table is aligned under a head on a terminal, and plain tab-separated lines
// in a pipe. Without columns it has no head.
func (a *app) table(columns []string, rows [][]string) error {
	w := a.stdout
	if a.tty {
		tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		defer func() { _ = tw.Flush() }()
		w = tw
		if len(rows) > 0 && columns != nil {
			fmt.Fprintln(w, strings.Join(columns, "\t"))
		}
	}
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = strings.ReplaceAll(escape(c), "\t", " ")
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return nil
}

// payload prints a body and ends its line. On a terminal what could move the
// cursor is escaped; raw prints the bytes and nothing else.
func (a *app) payload(b []byte, raw bool) error {
	var err error
	switch {
	case raw:
		_, err = a.stdout.Write(b)
	case a.tty:
		_, err = fmt.Fprintln(a.stdout, strings.TrimSuffix(escape(string(b)), "\n"))
	default:
		_, err = a.stdout.Write(append(bytes.Clone(bytes.TrimSuffix(b, []byte("\n"))), '\n'))
	}
	return err
}

// short prints a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
