package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newDemoCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show a mesh at work, in one process",
		RunE:  func(*cobra.Command, []string) error { return errors.New("the demo is not built in") },
	}
}
