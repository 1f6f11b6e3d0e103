package mail

import (
	"os"

	"github.com/hibiken/asynq"
)

var Quiet bool

func Start() error {
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}, asynq.Config{})
	return srv.Run(nil)
}
