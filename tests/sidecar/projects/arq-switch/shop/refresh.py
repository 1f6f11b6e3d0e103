import asyncio

from arq import cron
from arq.worker import create_worker


class Refresher:
    async def begin(self, **given):
        self.worker = create_worker({"cron_jobs": [cron("shop.prices.refresh")]}, **given)
        self.task = asyncio.create_task(self.worker.async_run())


refresher = Refresher()
