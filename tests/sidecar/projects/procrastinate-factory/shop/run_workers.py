import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def run_workers(jobs):
    # procrastinate's workers, one for each kind of queue
    tasks = [
        asyncio.create_task(jobs.run_worker_async(queues=[each], install_signal_handlers=False))
        for each in ("mail", "pictures")
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
