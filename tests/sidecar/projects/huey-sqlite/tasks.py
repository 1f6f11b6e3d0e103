from huey import SqliteHuey

huey = SqliteHuey("app", filename="jobs.db")
