from contextlib import asynccontextmanager

from fastapi import FastAPI

from shop.jobs import jobs
from shop.run_workers import run_workers


def app() -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI):
        async with jobs.open_async(), run_workers(jobs):
            yield

    return FastAPI(lifespan=lifespan)
