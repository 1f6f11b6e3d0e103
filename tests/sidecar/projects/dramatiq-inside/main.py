import dramatiq
import uvicorn
from dramatiq.worker import Worker

from jobs import broker
from web import app


def start_workers():
    Worker(broker).start()


def main():
    dramatiq.set_broker(broker)
    start_workers()
    uvicorn.run(app, host="0.0.0.0", port=8000)


if __name__ == "__main__":
    main()
