package main

import "github.com/gocraft/work"

func main() { work.NewWorkerPool(nil, 10, "ns", nil).Start() }
