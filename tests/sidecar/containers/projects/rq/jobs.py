import os
import time

import redis

store = redis.Redis.from_url(os.environ["RQ_REDIS_URL"])


def work(key, seconds):
    store.sadd("begun", key)
    time.sleep(seconds)
    store.sadd("done", key)
