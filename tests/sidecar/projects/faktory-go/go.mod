module example.org/shop

go 1.24

require github.com/contribsys/faktory_worker_go v1.0.0
