import asyncio

from svc.jobs import app


async def main():
    worker = await app.worker()
    await worker.run()


asyncio.run(main())
