from . import celery_app


@celery_app.task
def resize(path):
    return path
