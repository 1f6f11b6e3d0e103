package main

import worker "github.com/contribsys/faktory_worker_go"

func main() {
	mgr := worker.NewManager()
	mgr.Concurrency = 20
	mgr.ProcessStrictPriorityQueues("critical", "default")
	mgr.Run()
}
