from stoker import Stoker

jobs = Stoker("sqlite:///jobs.db")


@jobs.task
def mail(to): ...
