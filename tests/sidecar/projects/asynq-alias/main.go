package main

import "example.com/bills/app"

func main() {
	app.New().Run()
}
