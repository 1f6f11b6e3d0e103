from arq import create_pool
from fastapi import FastAPI

from .core.arq import WorkerSettings

app = FastAPI()


@app.post("/orders")
async def order():
    pool = await create_pool(WorkerSettings.redis_settings)
    await pool.enqueue_job("ship")
