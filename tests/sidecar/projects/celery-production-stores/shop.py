import os

from celery import Celery
from flask import Flask

app = Flask(__name__)
jobs = Celery("shop", broker=os.environ["CELERY_BROKER_URL"])


@jobs.task
def bill(order: int) -> None:
    """Writes the bill."""
