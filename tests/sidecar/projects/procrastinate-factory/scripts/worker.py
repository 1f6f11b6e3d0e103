import asyncio

from shop.jobs import jobs


async def main():
    async with jobs.open_async():
        await jobs.run_worker_async()


if __name__ == "__main__":
    asyncio.run(main())
