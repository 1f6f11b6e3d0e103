from huey import RedisHuey
huey = RedisHuey("x")
