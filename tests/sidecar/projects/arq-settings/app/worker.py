class WorkerSettings:
    functions = []
    redis_settings = None
    queue_name = "arq:mail"
    max_jobs = 20
