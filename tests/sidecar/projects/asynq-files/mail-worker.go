package main

import "github.com/hibiken/asynq"

func main() {
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: "localhost:6379"}, asynq.Config{
		Concurrency: 4,
		Queues:      map[string]int{"mail": 1},
	})
	if err := server.Run(asynq.NewServeMux()); err != nil {
		panic(err)
	}
}
