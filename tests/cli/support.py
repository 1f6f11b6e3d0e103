"""The application the tests use, and what runs ``stoker``, in this process or another."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from click.testing import CliRunner, Result

from stoker.app import Stoker
from stoker.broker.base import Broker, Want
from stoker.cli import main
from stoker.failure import Failure, Reason
from stoker.job.model import JobRecord, Lease
from stoker.job.outcome import Done, Failed
from stoker.job.states import State

T = TypeVar("T")

URL = "sqlite:///jobs.db"
WAIT_SECONDS = 30.0

SHOP = """
import asyncio
import threading
import time
from datetime import date

from stoker import Processor, Stoker, current_job

app = Stoker("sqlite:///jobs.db")


@app.task(queue="mail", priority=5)
async def send(to: str, copies: int = 1) -> str:
    return f"{to} x{copies}"


@app.task
def remind(on: date, token: str = "") -> str:
    return on.isoformat()


@app.task(queue="mail", attempts=2, backoff="1h")
async def bounce(to: str) -> None:
    raise ConnectionError(f"{to} is not reachable\\nsecond line")


@app.task(queue="slow")
async def crawl(seconds: float) -> str:
    print("crawl begun", flush=True)
    await asyncio.sleep(seconds)
    return "there"


@app.processor
class Picture(Processor[dict[str, str]]):
    queue = "pictures"
    attempts = 1

    def process(self, job) -> str:
        return job.data["path"]
"""


def stoker(*arguments: str, input: str | None = None, env: Mapping[str, str] = {}) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, list(arguments), input=input, env=dict(env))


def ok(*arguments: str, env: Mapping[str, str] = {}) -> str:
    """Run a command that has to succeed; return what it wrote to standard output."""
    result = stoker(*arguments, env=env)
    assert result.exit_code == 0, result.output
    return result.stdout


def lines(*arguments: str) -> list[Any]:
    """Run a command that has to succeed with ``--json``; return its lines, decoded."""
    return [json.loads(line) for line in ok(*arguments, "--json").splitlines()]


class Added(NamedTuple):
    """Where a job is."""

    queue: str
    id: str


class Shop:
    """The application's store, seen without its code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def do(self, work: Callable[[Stoker], Awaitable[T]]) -> T:
        async def session() -> T:
            async with Stoker(URL) as app:
                return await work(app)

        return asyncio.run(session())

    def add(self, name: str = "send", queue: str = "mail", /, **settings: Any) -> str:
        """Add a job; return its id."""
        data = settings.pop("data", {"to": "ada"})
        return self.do(lambda app: _add(app, queue, name, data, settings))

    def fail(
        self,
        queue: str = "mail",
        message: str = "ValueError: no",
        count: int = 1,
        reason: Reason = "error",
    ) -> None:
        """Make the next jobs of a queue dead letters."""
        failure = Failure(reason, message, "Traceback\n  File shop.py")
        self.do(lambda app: _settle(app, queue, count, lambda lease: Failed(lease, failure)))

    def complete(self, queue: str = "mail", count: int = 1) -> None:
        """Complete the next jobs of a queue."""
        self.do(lambda app: _settle(app, queue, count, lambda lease: Done(lease, '"sent"')))

    def claim(self, queue: str = "mail") -> JobRecord:
        """Take the next job of a queue, and keep it."""
        return self.do(lambda app: _claim(app, queue))

    def job(self, id: str, queue: str = "mail") -> JobRecord:
        return self.do(lambda app: app.queue(queue).job(id).record())

    def states(self, queue: str = "mail") -> dict[State, int]:
        """Return the counts that are not zero."""
        stats = self.do(lambda app: app.queue(queue).stats())
        return {state: count for state, count in stats.counts.items() if count}


async def _add(app: Stoker, queue: str, name: str, data: Any, settings: Any) -> str:
    return (await app.queue(queue).add(name, data, **settings)).id


async def _settle(
    app: Stoker, queue: str, count: int, outcome: Callable[[Lease], Done | Failed]
) -> None:
    broker = await app.client.broker()
    jobs = await broker.claim(Want({queue: count}, count, "test"))
    assert len(jobs) == count
    await broker.finish([outcome(Lease(job.queue, job.id, job.token or "")) for job in jobs])


async def _claim(app: Stoker, queue: str) -> JobRecord:
    broker: Broker = await app.client.broker()
    [job] = await broker.claim(Want({queue: 1}, 1, "tester"))
    return job


class Running:
    """``stoker`` in a process of its own, whose output is read line by line."""

    def __init__(self, folder: Path, *arguments: str, env: Mapping[str, str] = {}) -> None:
        self.output: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stoker", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def until(self, text: str) -> str:
        """Wait for a line with ``text`` in it and return it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            line = self._next(deadline)
            assert line is not None, f"it ended without {text!r}:\n{self.shown}"
            if text in line:
                return line

    def shows(self, *texts: str) -> None:
        """Wait until it has said all of these, in any order."""
        for text in texts:
            if text not in self.shown:
                self.until(text)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._next(deadline) is not None:
            pass
        return self.process.wait(WAIT_SECONDS)

    @property
    def shown(self) -> str:
        return "".join(self.output)

    def _next(self, deadline: float) -> str | None:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"nothing more within {WAIT_SECONDS}s:\n{self.shown}") from None
        if line is not None:
            self.output.append(line)
        return line

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)
