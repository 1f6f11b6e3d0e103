from stoker import Stoker

jobs = Stoker(default_url="sqlite:///jobs.db")


@jobs.task
def mail(to): ...
