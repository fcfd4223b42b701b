//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what a run found.
type result struct {
	Case      string             `json:"case"`
	Instances int                `json:"instances"`
	Direct    bool               `json:"direct"`
	Succeeded int                `json:"succeeded"`
	Wall      float64            `json:"wall"` // seconds
	CPU       float64            `json:"cpu"`  // seconds, of all processes
	Figures   map[string]float64 `json:"figures"`
	Outcomes  map[string]int     `json:"outcomes"`
	Errors    []string           `json:"errors"` // of instances, each once
}

// event is a line of an instance's run.out.
type event struct {
	Event struct {
		Message *struct{ Message string } `json:"message_event"`
		Success *struct{}                 `json:"success_event"`
		Failure *struct{ Error string }   `json:"failure_event"`
		Crash   *struct{ Error string }   `json:"crash_event"`
	}
}

// summaryMark stands before the figures in what instance 1 says.
const summaryMark = "summary: "

// maxLine bounds a line of run.out.
const maxLine = 4 << 20

// collect reads what all instances said.
func collect(o *options, outputs string) *result {
	r := &result{Case: o.testcase, Instances: o.instances, Direct: o.direct}
	_ = filepath.WalkDir(outputs, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "run.out" {
			if err := r.read(path); err != nil {
				r.complain(fmt.Sprintf("%s: %v", path, err))
			}
		}
		return nil
	})
	return r
}

func (r *result) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return r.scan(f)
}

// scan takes in the events of one instance.
func (r *result) scan(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	succeeded := false
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // not an event: it may print what it likes
		}
		switch {
		case e.Event.Success != nil:
			succeeded = true
		case e.Event.Failure != nil:
			r.complain(e.Event.Failure.Error)
		case e.Event.Crash != nil:
			r.complain("crash: " + e.Event.Crash.Error)
		case e.Event.Message != nil:
			if text, ok := strings.CutPrefix(e.Event.Message.Message, summaryMark); ok {
				if err := json.Unmarshal([]byte(text), r); err != nil {
					return fmt.Errorf("summary: %w", err)
				}
			}
		}
	}
	if succeeded {
		r.Succeeded++
	}
	return lines.Err()
}

const maxErrors = 10

// complain notes an error; most instances fail because another did.
func (r *result) complain(what string) {
	if !slices.Contains(r.Errors, what) && len(r.Errors) < maxErrors {
		r.Errors = append(r.Errors, what)
	}
}

// failed is nil when all instances succeeded and the figures are there.
func (r *result) failed() error {
	var errs []error
	if r.Succeeded != r.Instances {
		errs = append(errs, fmt.Errorf("%d of %d instances succeeded", r.Succeeded, r.Instances))
	}
	if r.Figures == nil {
		errs = append(errs, errors.New("no figures: instance 1 did not come to its end; --out keeps what each said"))
	}
	for _, e := range r.Errors {
		errs = append(errs, errors.New(e))
	}
	return errors.Join(errs...)
}

// print prints a table, or JSON.
func (r *result) print(to io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(to).Encode(r)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%d of %d instances succeeded\n", r.Case, r.Succeeded, r.Instances)
	fmt.Fprintf(w, "wall\t%.1f s\ncpu\t%.1f s\n", r.Wall, r.CPU)
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		fmt.Fprintf(w, "%s\t%s\n", name, number(r.Figures[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(w, "outcome %s\t%d\n", name, r.Outcomes[name])
	}
	return w.Flush()
}

// number prints whole numbers whole, and others with what is worth seeing.
func number(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d", int64(v))
	}
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}
