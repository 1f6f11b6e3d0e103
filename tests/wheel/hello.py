"""The smallest application: one task. Run by journey.py with nothing but the wheel installed."""

from stoker import Stoker

app = Stoker("sqlite:///hello.db")


@app.task()
async def add(a: int, b: int) -> int:
    return a + b
