import os
import time

import redis

store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=float(os.environ["REDIS_TIMEOUT"]))


def main():
    while True:
        store.incr("rounds")
        time.sleep(5)


if __name__ == "__main__":
    main()
