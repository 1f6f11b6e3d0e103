from proj.celery import app


@app.task
def render(page):
    return page


@app.task
def send_welcome(to):
    return to


@app.task(queue="reports")
def report(month):
    return month
