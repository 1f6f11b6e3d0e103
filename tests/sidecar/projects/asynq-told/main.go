package main

import (
	"net/http"
	"os"

	"github.com/hibiken/asynq"
)

func main() {
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}, asynq.Config{})
	go srv.Run(nil)
	http.ListenAndServe(":80", nil)
}
