package main

import "example.org/shop/cli"

func main() { cli.Execute() }
