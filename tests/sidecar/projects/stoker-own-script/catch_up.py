import asyncio

from stoker import WorkerSettings

from svc.jobs import app


async def main():
    worker = await app.worker(WorkerSettings(burst=True))
    await worker.run()


asyncio.run(main())
