from celery import Celery
app=Celery("x", broker="redis://localhost")
