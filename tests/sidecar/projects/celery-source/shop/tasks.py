from shop.celery_app import celery_app


@celery_app.task
def send(): ...
