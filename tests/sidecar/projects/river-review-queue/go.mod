module example.org/events

go 1.24

require (
	github.com/riverqueue/river v0.20.0
	github.com/spf13/cobra v1.8.0
)
