from huey import RedisHuey

huey = RedisHuey("app")
