import arq
from arq.connections import RedisSettings


async def ship(ctx): ...


class WorkerSettings:
    functions = [ship]
    redis_settings = RedisSettings()
