module example.org/shop

go 1.24

require github.com/gocraft/work v1.0.0
