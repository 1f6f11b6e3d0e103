from .app import celery_app


@celery_app.task
def send(address):
    return address
