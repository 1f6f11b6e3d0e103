from shop import line


@line.app.task
def shrink(path): ...
