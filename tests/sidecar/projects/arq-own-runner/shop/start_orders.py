import asyncio

from shop.orders import OrderSettings
from shop.runner import make


async def main():
    await make(OrderSettings).run()


if __name__ == "__main__":
    asyncio.run(main())
