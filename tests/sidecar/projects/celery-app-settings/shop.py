import os

from celery import Celery
from flask import Flask

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["CELERY_BROKER_URL"])
jobs.conf.beat_schedule = {"nightly": {"task": "shop.tidy", "schedule": 86_400}}


@jobs.task
def tidy():
    pass
