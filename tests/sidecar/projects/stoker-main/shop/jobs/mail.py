from ..line import app


@app.task
def mail(to): ...
