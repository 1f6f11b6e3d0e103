module x
require github.com/hibiken/asynq v0.24.0
