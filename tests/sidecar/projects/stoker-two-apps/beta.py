from stoker import Stoker

app = Stoker()


@app.task(queue="pictures")
def shrink(path): ...
