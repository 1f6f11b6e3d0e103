import os

from celery import Celery
from fastapi import FastAPI

# CELERY_RABBITMQ_BROKER = amqp://localhost is what it was before
app = Celery("tasks", broker=os.environ.get("CELERY_BROKER_URL", "amqp://localhost"))
api = FastAPI()
