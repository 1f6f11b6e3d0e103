import os

from arq.connections import RedisSettings


async def ship(ctx, order): ...


class OrderSettings:
    functions = [ship]
    redis_settings = RedisSettings(host=os.environ["REDIS_HOST"])
    queue_name = "orders"
