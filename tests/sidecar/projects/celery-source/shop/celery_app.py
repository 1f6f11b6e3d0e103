import os

from celery import Celery

celery_app = Celery("shop")
celery_app.conf.broker_url = os.getenv("CLOUDAMQP_URL")
celery_app.conf.beat_schedule = {}
