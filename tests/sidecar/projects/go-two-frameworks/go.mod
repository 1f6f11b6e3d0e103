module example.com/compared

go 1.21

require (
	github.com/acme-forks/work v1.2.1
	github.com/gocraft/work v0.5.1
	github.com/hibiken/asynq v0.24.0
)
