package main

import craft "example.com/compared/craft/worker"

func main() {
	craft.Run()
}
