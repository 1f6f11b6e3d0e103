module example.org/shop

go 1.24

require github.com/riverqueue/river v1.0.0
