package jobs

import (
	"context"
	"net/http"

	"github.com/riverqueue/river"
)

type LabelArgs struct{}

func (LabelArgs) Kind() string { return "label" }

type Label struct{ river.WorkerDefaults[LabelArgs] }

func (Label) Work(ctx context.Context, job *river.Job[LabelArgs]) error {
	_, err := http.Post("http://printer/labels", "text/plain", nil)
	return err
}
