package main

import "github.com/riverqueue/river"

func main() {
	workers := river.NewWorkers()
	river.NewClient(nil, &river.Config{Workers: workers, Queues: map[string]river.QueueConfig{
		river.QueueDefault: {MaxWorkers: 5},
	}})
}
