module example.org/shop

go 1.24

require (
	github.com/alecthomas/kong v1.0.0
	github.com/riverqueue/river v0.20.0
)
