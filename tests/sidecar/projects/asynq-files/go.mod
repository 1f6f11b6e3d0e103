module example.com/demo

go 1.22

require github.com/hibiken/asynq v0.25.0
