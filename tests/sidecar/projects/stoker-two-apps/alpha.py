from stoker import Stoker

app = Stoker()


@app.task
def mail(to): ...
