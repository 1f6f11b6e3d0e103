from shared.celery_factory import create_app

celery_app = create_app("images")

from . import tasks  # noqa
