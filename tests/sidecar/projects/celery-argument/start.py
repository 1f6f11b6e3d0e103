import subprocess
import sys

import uvicorn

from tasks import app


def start_worker():
    app.worker_main(["worker", "--loglevel=info", "--pool=threads"])


def start_flower():
    subprocess.run(["celery", "-A", "tasks.app", "flower", "--port=5555"])


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "api":
        uvicorn.run("tasks:api", host="0.0.0.0", port=8000)
    elif what == "worker":
        start_worker()
    elif what == "flower":
        start_flower()
