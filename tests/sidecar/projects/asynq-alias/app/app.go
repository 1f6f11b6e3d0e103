package app

import (
	"net/http"

	"github.com/gin-gonic/gin"
	queue "github.com/hibiken/asynq"
)

type App struct {
	engine *gin.Engine
	mux    *queue.ServeMux
}

func New() App {
	return App{gin.New(), queue.NewServeMux()}
}

func (app App) Run() {
	worker := queue.NewServer(queue.RedisClientOpt{Addr: "localhost:6379"}, queue.Config{
		Queues: map[string]int{"critical": 6, "default": 3},
	})
	if err := worker.Start(app.mux); err != nil {
		panic(err)
	}
	server := http.Server{Addr: ":8080", Handler: app.engine}
	panic(server.ListenAndServe())
}
