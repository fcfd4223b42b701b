package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/internal/sim"
	"github.com/meshnode/meshnode/internal/sim/report"
	"github.com/meshnode/meshnode/pkg/api"
)

// maxResult is the largest result file that is read.
const maxResult = 64 << 20

// compared is one figure of two results; nil where a result does not have it.
type compared struct {
	Name  string   `json:"name"`
	A     *float64 `json:"a"`
	B     *float64 `json:"b"`
	title string
	unit  report.Unit
}

func (a *app) simCompareCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Put the figures of two results side by side",
		Example: `  meshnode sim run churn -o json > a.json
  meshnode sim compare a.json b.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			x, err := readResult(args[0])
			if err != nil {
				return err
			}
			y, err := readResult(args[1])
			if err != nil {
				return err
			}
			all := compare(x, y)
			whole := struct {
				api.Head
				Figures []compared `json:"figures"`
			}{head, all}
			columns := []string{"FIGURE", "A", "B", "CHANGE", "NAME"}
			return list(a, whole, all, columns, func(c compared) []string {
				return []string{c.title, figureText(c.A, c.unit), figureText(c.B, c.unit), change(c.A, c.B), c.Name}
			})
		},
	}
}

func readResult(file string) (*sim.Result, error) {
	bad := func(err error) error {
		return hint(api.Fail(api.ErrUsage, "%s is no result: %w", file, err), "meshnode sim run NAME -o json > "+quote(file))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, bad(err)
	}
	defer func() { _ = f.Close() }()
	r := new(sim.Result)
	if err := json.NewDecoder(io.LimitReader(f, maxResult)).Decode(r); err != nil {
		return nil, bad(err)
	}
	if len(r.Figures) == 0 {
		return nil, bad(fmt.Errorf("it has no figures"))
	}
	return r, nil
}

// compare lists the figures of either, in the order of a result's table.
func compare(x, y *sim.Result) []compared {
	both := &sim.Result{Figures: make(map[string]float64, len(x.Figures))}
	for _, r := range []*sim.Result{x, y} {
		for name, v := range r.Figures {
			both.Figures[name] = v
		}
	}
	at := func(r *sim.Result, name string) *float64 {
		if v, ok := r.Figures[name]; ok {
			return &v
		}
		return nil
	}
	var out []compared
	for _, g := range report.Grouped(both, nil) {
		for _, row := range g.Rows {
			title := row.Title
			if g.Name == report.Warmup {
				title += ", in warm-up"
			}
			out = append(out, compared{row.Name, at(x, row.Name), at(y, row.Name), title, row.Unit})
		}
	}
	return out
}

func figureText(v *float64, u report.Unit) string {
	if v == nil {
		return "-"
	}
	return u.Format(*v)
}

// change is b over a in percent, where that means something.
func change(a, b *float64) string {
	switch {
	case a == nil || b == nil || *a == 0 && *b != 0:
		return "-"
	case *a == *b:
		return "="
	}
	return fmt.Sprintf("%+.1f %%", (*b / *a - 1)*100)
}
