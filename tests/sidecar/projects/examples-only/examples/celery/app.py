from celery import Celery

celery = Celery("x")
