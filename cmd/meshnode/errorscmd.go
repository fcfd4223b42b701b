package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode/pkg/api"
)

// explained is one error code as JSON shows it.
type explained struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Cause string `json:"cause"`
	Next  string `json:"next"`
	HTTP  int    `json:"http"`
	Exit  int    `json:"exit"`
}

func (a *app) errorsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "errors [CODE]",
		Short: "Explain the error codes",
		Example: `  meshnode errors
  meshnode errors MN-0201`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (codes []string, _ cobra.ShellCompDirective) {
			for _, e := range api.Entries() {
				codes = append(codes, e.Code)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.explain(strings.ToUpper(args[0]))
			}
			all := make([]explained, 0, len(api.Entries()))
			for _, e := range api.Entries() {
				all = append(all, explainedOf(e))
			}
			whole := struct {
				api.Head
				Errors []explained `json:"errors"`
			}{head, all}
			return list(a, whole, all, []string{"CODE", "EXIT", "MEANING"}, func(e explained) []string {
				return []string{e.Code, strconv.Itoa(e.Exit), e.Title}
			})
		},
	}
}

func (a *app) explain(code string) error {
	e, ok := api.Explain(code)
	if !ok {
		return hint(api.Fail(api.ErrNotFound, "there is no error code %q", code), "meshnode errors")
	}
	v, err := versioned(explainedOf(e))
	if err != nil {
		return err
	}
	return a.object(v, func() error {
		_, err := fmt.Fprintf(a.stdout, "%s  %s\n  why:  %s\n  try:  %s\n  exit: %d, HTTP %d\n", e.Code, e.Title, e.Cause, e.Next, e.Exit, e.HTTP)
		return err
	})
}

func explainedOf(e api.Entry) explained {
	return explained{e.Code, e.Title, e.Cause, e.Next, e.HTTP, e.Exit}
}
