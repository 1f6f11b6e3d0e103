package main

import "github.com/hibiken/asynq"

func main() {
	scheduler := asynq.NewScheduler(asynq.RedisClientOpt{Addr: "localhost:6379"}, nil)
	if err := scheduler.Run(); err != nil {
		panic(err)
	}
}
