from huey import RedisHuey


def create_queue(settings):
    made = RedisHuey(settings["name"], url=settings["url"])
    return made
