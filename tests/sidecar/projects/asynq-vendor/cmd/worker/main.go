package main

import (
	"os"

	"github.com/hibiken/asynq"
)

func main() {
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}, asynq.Config{
		Concurrency: 10,
		Queues:      map[string]int{"critical": 6, "default": 3},
	})
	srv.Run(nil)
}
