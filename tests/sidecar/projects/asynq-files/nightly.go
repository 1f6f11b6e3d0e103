package main

import "github.com/hibiken/asynq"

func main() {
	scheduler := asynq.NewScheduler(asynq.RedisClientOpt{Addr: "localhost:6379"}, nil)
	scheduler.Register("@every 24h", asynq.NewTask("mail:digest", nil))
	if err := scheduler.Run(); err != nil {
		panic(err)
	}
}
