import asyncio
from contextlib import asynccontextmanager
from arq.worker import Worker
from fastapi import FastAPI
from tasks import send

@asynccontextmanager
async def lifespan(app):
    worker = Worker(functions=[send], handle_signals=False)
    task = asyncio.create_task(worker.async_run())
    yield
    await worker.close()

app = FastAPI(lifespan=lifespan)
