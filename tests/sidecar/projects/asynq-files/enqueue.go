package main

import "github.com/hibiken/asynq"

func main() {
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: "localhost:6379"})
	defer client.Close()
	client.Enqueue(asynq.NewTask("mail:send", nil))
}
