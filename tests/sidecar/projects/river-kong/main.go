package main

import (
	"github.com/alecthomas/kong"

	"example.org/shop/commands"
)

type CLI struct {
	Serve  commands.ServeCmd  `cmd:"" help:"Serve"`
	Worker commands.WorkerCmd `cmd:"" help:"Work"`
}

func main() {
	cli := CLI{}
	kong.Parse(&cli).Run()
}
