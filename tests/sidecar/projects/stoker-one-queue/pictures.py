from stoker import Stoker

app = Stoker()


@app.task(attempts=3)
async def shrink(path): ...
