from saq import Queue, Worker

from app.settings import settings

queue = Queue.from_url(settings.REDIS_URL)
plan = {"queue": queue, "functions": []}


class Inside(Worker[dict]):
    SIGNALS = []


def make_worker() -> Inside:
    return Inside(queue, functions=[])
