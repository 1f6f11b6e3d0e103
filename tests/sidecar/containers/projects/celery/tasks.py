import os
import time

import redis
from celery import Celery

URL = os.environ["REDIS_URL"]
app = Celery("tasks", broker=URL)
app.conf.task_acks_late = True  # what a killed worker had is done by another
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_transport_options = {"visibility_timeout": 30}
store = redis.Redis.from_url(URL)


@app.task
def work(key, seconds):
    store.sadd("begun", key)
    time.sleep(seconds)
    store.sadd("done", key)
