from contextlib import asynccontextmanager

from arq.connections import RedisSettings
from fastapi import FastAPI

from shop.refresh import refresher
from shop.settings import settings


@asynccontextmanager
async def lifespan(app: FastAPI):
    if settings.REFRESH_PRICES:
        await refresher.begin(redis_settings=RedisSettings(host=settings.REDIS_HOST))
    yield


app = FastAPI(lifespan=lifespan)
