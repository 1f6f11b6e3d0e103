package main

import (
	"net/http"

	"example.org/shop/mail"
)

func main() {
	go mail.Start()
	http.ListenAndServe(":80", nil)
}
