module example.com/bills

go 1.22

require (
	github.com/gin-gonic/gin v1.9.1
	github.com/hibiken/asynq v0.24.1
)
