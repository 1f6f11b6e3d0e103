from fastapi import FastAPI

from shop.jobs import mail

app = FastAPI()


@app.post("/orders")
async def order(to: str):
    job = await mail.enqueue(to)
    return {"job": job.id}
