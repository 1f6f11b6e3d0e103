module example.org/shop

go 1.24

require github.com/hibiken/asynq v1.0.0
