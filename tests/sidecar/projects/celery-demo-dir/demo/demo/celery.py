from celery import Celery
app = Celery("demo", broker="redis://localhost")
app.autodiscover_tasks()
