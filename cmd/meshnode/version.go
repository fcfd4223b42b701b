package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meshnode/meshnode"
	"github.com/meshnode/meshnode/pkg/api"
	"github.com/meshnode/meshnode/pkg/mesh"
)

type version struct {
	api.Head
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source
	Protocol int    `json:"protocol"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  meshnode version
  meshnode version -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := version{
				Head: head, Version: meshnode.Version, Revision: revision(), Protocol: mesh.Version,
				Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
			}
			return a.object(v, func() error {
				_, err := fmt.Fprintf(a.stdout, "meshnode %s (protocol %d, %s, %s)\n", v.Version, v.Protocol, v.Go, v.Platform)
				return err
			})
		},
	}
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
