from celery import Celery

celery_app = Celery("work", broker="redis://localhost")
