package commands

import (
	"net/http"

	"github.com/riverqueue/river"
)

const queueMail = "mail"

type ServeCmd struct{}
type WorkerCmd struct{}

func (s *ServeCmd) Run() error {
	return http.ListenAndServe(":8080", nil)
}

func (w *WorkerCmd) Run() error {
	workers := river.NewWorkers()
	queues := map[string]river.QueueConfig{
		river.QueueDefault: {MaxWorkers: 2},
		queueMail:          {MaxWorkers: 2},
	}
	return start(workers, queues)
}
