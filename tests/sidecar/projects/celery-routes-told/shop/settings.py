import os

CELERY_BROKER_URL = os.environ["REDIS_URL"]
CELERY_TASK_DEFAULT_QUEUE = "shop"
CELERY_TASK_ROUTES = {
    "shop.tasks.ship": {"queue": "shop"},
    "shop.tasks.invoice": {"queue": "invoices"},
}
