from celery import Celery


def create_app(name):
    return Celery(name, broker="redis://localhost:6379/0")
