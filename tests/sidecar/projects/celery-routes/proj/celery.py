import os

from celery import Celery
from kombu import Queue

app = Celery("proj", broker=os.environ["CELERY_BROKER_URL"], include=["proj.tasks"])
app.conf.task_queues = [Queue("celery"), Queue("mail", routing_key="mail.#")]
app.conf.update(
    task_routes={
        "proj.tasks.render": {"queue": "render"},
        "proj.tasks.send_*": "mail",
    },
)
