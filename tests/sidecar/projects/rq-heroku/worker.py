import os

import redis
from rq import Connection, Queue, Worker

listen = ["high", "default"]
conn = redis.from_url(os.environ["REDISTOGO_URL"])

if __name__ == "__main__":
    with Connection(conn):
        Worker(map(Queue, listen)).work()
