package cmd

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

var review = &cobra.Command{Use: "review"}

var queue = &cobra.Command{
	Use:   "queue",
	Short: "Show what is in the review queue",
	RunE: func(cmd *cobra.Command, _ []string) error {
		answer, err := http.Get("http://localhost:8080/review-queue")
		if err != nil {
			return err
		}
		fmt.Println(answer.Status)
		return nil
	},
}

func init() { review.AddCommand(queue) }
