import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.settings import settings


@asynccontextmanager
async def lifespan(app: FastAPI):
    if settings.WORK_INSIDE:
        from app.work import make_worker

        asyncio.create_task(make_worker().start())
    yield


app = FastAPI(lifespan=lifespan)
