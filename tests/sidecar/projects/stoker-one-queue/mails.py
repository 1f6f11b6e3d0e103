from stoker import Stoker

app = Stoker()


@app.task
def mail(to): ...


@app.task(queue="slow")
def newsletter(): ...
