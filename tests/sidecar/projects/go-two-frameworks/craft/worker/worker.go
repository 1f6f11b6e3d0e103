package worker

import (
	"github.com/acme-forks/work"
	"github.com/gomodule/redigo/redis"
)

func Run() {
	pool := work.NewWorkerPool(struct{}{}, 8, "compared", &redis.Pool{})
	pool.Start()
	defer pool.Stop()
	select {}
}
