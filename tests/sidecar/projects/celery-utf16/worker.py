from celery import Celery

celery = Celery("w", broker="amqp://guest@localhost//")
