import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI
from stoker import WorkerSettings

from svc.jobs import app as jobs


@asynccontextmanager
async def lifespan(_):
    worker = await jobs.worker(WorkerSettings(concurrency=8))
    task = asyncio.create_task(worker.run())
    yield
    worker.stop()
    await task


app = FastAPI(lifespan=lifespan)
