package cli

import "github.com/spf13/cobra"

var rootCmd = &cobra.Command{Use: "shop"}
var startCmd = &cobra.Command{
	Use:   "start",
}

func init() {
	rootCmd.AddCommand(startCmd)
	startCmd.AddCommand(workerCmd)
}

func Execute() { rootCmd.Execute() }
