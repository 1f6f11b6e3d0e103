// Works off a list of Redis, without a framework; with "add", a key and seconds it adds a job.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gomodule/redigo/redis"
)

const queue = "mail"

func main() {
	if _, err := time.LoadLocation("Europe/Lisbon"); err != nil {
		log.Fatal(err) // schedules name a zone
	}
	connection, err := redis.DialURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if len(os.Args) > 3 && os.Args[1] == "add" {
		err = add(connection, os.Args[2], os.Args[3])
	} else {
		stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = work(stopped, connection)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func add(connection redis.Conn, key, seconds string) error {
	_, err := connection.Do("RPUSH", queue, key+" "+seconds)
	return err
}

func work(stopped context.Context, connection redis.Conn) error {
	for stopped.Err() == nil {
		taken, err := redis.Strings(connection.Do("BLPOP", queue, 1))
		if err == redis.ErrNil {
			continue
		}
		if err != nil {
			return err
		}
		key, seconds, _ := strings.Cut(taken[1], " ")
		if err := do(connection, key, seconds); err != nil {
			return err
		}
	}
	return nil
}

func do(connection redis.Conn, key, seconds string) error {
	if _, err := connection.Do("SADD", "begun", key); err != nil {
		return err
	}
	length, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(length * float64(time.Second)))
	_, err = connection.Do("SADD", "done", key)
	return err
}
