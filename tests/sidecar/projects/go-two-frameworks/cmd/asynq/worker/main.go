package main

import "example.com/compared/asynq/worker"

func main() {
	worker.Run()
}
