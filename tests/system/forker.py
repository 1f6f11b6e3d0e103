"""An application that forks: ``python -m tests.system.forker daemon|crowd CHILDREN JOBS``.

It enqueues in the parent first, so that the broker is open when the fork comes. ``crowd``: it forks
children, as a server that loads the application first does, and all of them enqueue at once.
``daemon``: the parent ends, and the child goes on alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
import time

from tests.system.handlers import FOLDER, GATES, app, nap
from tests.system.ledger import Writer


def add(count: int = 1, *, in_loop: bool = False) -> None:
    writer = Writer(FOLDER / "ledger.jsonl", sync=False)

    async def adding() -> None:
        for _ in range(count):
            writer.entry("added", (await nap.enqueue()).id)

    if in_loop:
        asyncio.run(adding())
        return
    for _ in range(count):
        writer.entry("added", nap.enqueue_sync().id)


def crowd(number_of_children: int, jobs: int) -> None:
    """Fork with the broker idle, and again and again with the broker at work."""
    add(jobs)
    context = multiprocessing.get_context("fork")
    busy = threading.Event()
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            add()
            busy.set()

    adding = threading.Thread(target=go_on)
    children = []
    for number in range(number_of_children):
        if number == number_of_children // 2:
            adding.start()
            busy.wait()
        in_loop = {"in_loop": bool(number % 2)}
        child = context.Process(target=add, args=(jobs,), kwargs=in_loop)
        child.start()
        children.append(child)
    for child in children:
        child.join(20)
        if child.exitcode != 0:
            child.kill()
            sys.exit(f"a child ended with {child.exitcode}")
    enough.set()
    adding.join()
    add(jobs)
    app.run(app.close())


def daemon() -> None:
    """Let the child outlive the parent, and everybody else who has the file open."""
    add()
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:
        time.sleep(0.005)
    add()
    (GATES / "forked-1").touch()
    while not (GATES / "go-on-1").exists():
        time.sleep(0.005)
    add()
    (GATES / "done-1").touch()
    time.sleep(0.2)  # still here while the test looks: a clean end could repair what it broke
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "daemon":
        daemon()
    crowd(int(sys.argv[2]), int(sys.argv[3]))
