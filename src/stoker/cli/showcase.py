"""A tiny application of each kind of task, for ``stoker demo`` where the examples are not."""

from __future__ import annotations

import asyncio
import time

from stoker.app import Stoker
from stoker.context import current_job

app = Stoker()  # where STOKER_URL says


@app.task(queue="greetings")
async def greet(name: str) -> str:
    """On the event loop: it waits without holding anybody up."""
    await asyncio.sleep(0.05)
    return f"Hello, {name}."


@app.task(queue="pictures")
def shrink(picture: str, width: int) -> str:
    """In a thread: blocking code, as it is."""
    time.sleep(0.05)
    return f"{picture}@{width}"


@app.task(queue="numbers", run_in="process")
def count_primes(below: int) -> int:
    """In a child process: work for a processor core of its own."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))


@app.task(queue="deliveries", attempts=3, backoff="200ms")
async def deliver(parcel: str) -> str:
    """Fails at first and is tried again."""
    job = current_job()
    if job.attempt == 1:
        raise ConnectionError(f"nobody answers the door for {parcel}")
    return f"{parcel} delivered at attempt {job.attempt}"


@app.task(queue="payments", attempts=2, backoff="200ms")
async def charge(customer: str, card_token: str) -> None:
    """Fails for good and becomes a dead letter."""
    current_job().log("asking the bank")
    raise PermissionError(f"the bank refuses the card of {customer}")


@app.task(queue="reminders")
async def remind(customer: str) -> str:
    """Is added with a delay of an hour."""
    return f"reminded {customer}"


async def add_jobs() -> dict[str, int]:
    """Add some of each; return how many each queue will finish in this demonstration."""
    names = ["Ada", "Alan", "Barbara", "Edsger", "Grace", "Ken", "Margaret", "Tony"]
    await greet.enqueue_many({"name": name} for name in names * 5)
    await shrink.enqueue_many({"picture": f"{n}.png", "width": 200} for n in range(40))
    await count_primes.enqueue_many({"below": 20_000 + n} for n in range(12))
    await deliver.enqueue_many({"parcel": f"parcel {n}"} for n in range(10))
    await charge.enqueue_many({"customer": name, "card_token": "tok_4242"} for name in names[:3])
    await remind.options(delay="1h").enqueue("Ada")
    return {"greetings": 40, "pictures": 40, "numbers": 12, "deliveries": 10, "payments": 3}
