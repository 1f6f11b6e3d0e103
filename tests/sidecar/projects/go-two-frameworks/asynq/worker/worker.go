package worker

import "github.com/hibiken/asynq"

func Run() {
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: "redis:6379"}, asynq.Config{Concurrency: 8})
	if err := server.Run(asynq.NewServeMux()); err != nil {
		panic(err)
	}
}
