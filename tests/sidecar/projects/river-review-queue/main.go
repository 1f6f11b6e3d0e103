package main

import "example.org/events/cmd"

func main() { cmd.Execute() }
