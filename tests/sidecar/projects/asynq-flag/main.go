package main

import (
	"flag"
	"net/http"
	"github.com/hibiken/asynq"
)

func main() {
	mode := flag.String("mode", "server", "what to run")
	flag.Parse()
	switch *mode {
	case "server":
		http.ListenAndServe(":8080", nil)
	case "worker":
		srv := asynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{})
		srv.Run(nil)
	}
}
