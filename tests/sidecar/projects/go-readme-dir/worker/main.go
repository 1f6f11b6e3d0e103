package main

import "github.com/hibiken/asynq"

func main() {
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: "localhost:6379"}, asynq.Config{})
	if err := server.Run(asynq.NewServeMux()); err != nil {
		panic(err)
	}
}
