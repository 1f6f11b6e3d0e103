"""A changed copy of arq's own worker."""


class Worker:
    def __init__(self, settings): ...

    async def run(self): ...


def make(settings):
    return Worker(settings)
