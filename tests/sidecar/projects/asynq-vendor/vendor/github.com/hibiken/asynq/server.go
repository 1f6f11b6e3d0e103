package asynq
