module example.org/shipping

go 1.24

require (
	github.com/go-chi/chi/v5 v5.1.0
	github.com/riverqueue/river v0.20.0
	github.com/spf13/cobra v1.8.0
)
