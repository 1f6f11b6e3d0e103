package main

import "example.org/shipping/cmd"

func main() { cmd.Execute() }
