package cmd

import (
	"context"
	"net/http"
	"os"

	"example.org/events/internal/jobs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
)

var root = &cobra.Command{Use: "events"}

var serve = &cobra.Command{
	Use: "serve",
	RunE: func(cmd *cobra.Command, _ []string) error {
		pool, err := pgxpool.New(cmd.Context(), os.Getenv("DATABASE_URL"))
		if err != nil {
			return err
		}
		client, err := jobs.Client(pool)
		if err != nil {
			return err
		}
		if err := client.Start(context.Background()); err != nil {
			return err
		}
		http.HandleFunc("/events", func(w http.ResponseWriter, _ *http.Request) {})
		return http.ListenAndServe(":8080", nil)
	},
}

func Execute() {
	root.AddCommand(serve, review)
	_ = root.Execute()
}
