package cmd

import (
	"context"

	"example.org/shipping/internal/jobs"
	"github.com/spf13/cobra"
)

var root = &cobra.Command{Use: "shipping"}

var serve = &cobra.Command{
	Use: "serve",
	RunE: func(cmd *cobra.Command, _ []string) error {
		return jobs.Start(context.Background())
	},
}

func Execute() {
	root.AddCommand(serve)
	_ = root.Execute()
}
