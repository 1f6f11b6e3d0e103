package jobs

import (
	"context"
	"net/http"
	"os"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

func Start(ctx context.Context) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &Label{})
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Workers: workers,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
	})
	if err != nil {
		return err
	}
	go probes()
	return client.Start(ctx)
}

func probes() {
	router := chi.NewRouter()
	router.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) {})
	router.Get("/metrics", func(w http.ResponseWriter, _ *http.Request) {})
	_ = http.ListenAndServe(":9100", router)
}
