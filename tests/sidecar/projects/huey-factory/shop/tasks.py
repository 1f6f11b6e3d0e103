from shop.queue import create_queue
from shop.settings import SETTINGS

huey = create_queue(SETTINGS)


@huey.task()
def mail(): ...
