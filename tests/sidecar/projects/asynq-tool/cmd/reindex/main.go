package main

import (
	"example.org/shop/catalog"
	"example.org/shop/mail"
)

func main() {
	mail.Quiet = true
	catalog.New().Run()
}
