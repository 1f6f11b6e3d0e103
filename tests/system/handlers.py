"""The application under fault: tasks that say in the ledger when they begin and end.

Each is to be had on the event loop, in a thread and in a child process. What a run is to wait for
is a *gate*: a file that the test makes. Gates carry the number of the claim, so that a test can let
the second run of a job go while the first is still held.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stoker import Stoker, current_job
from stoker.context import JobContext
from tests.system.ledger import Writer

FOLDER = Path(os.environ["FAULT_FOLDER"])
GATES = FOLDER / "gates"
NAP = 0.002

app = Stoker()
_writer = Writer(FOLDER / "ledger.jsonl", sync=os.environ.get("FAULT_SYNC") != "0")


def say(kind: str, text: str = "") -> JobContext[Any]:
    """Write down a fact about the current job."""
    job = current_job()
    record = job.record
    _writer.entry(
        kind,
        record.id,
        worker=record.worker or "",
        token=record.token or "",
        claim=record.starts,
        attempt=job.attempt,
        text=text,
    )
    return job


def ended() -> dict[str, Any]:
    """Write down the end, and return a result that tells whose it is."""
    job = say("end")
    return {"token": job.record.token, "claim": job.record.starts}


def gate(name: str) -> bool:
    """Whether this run's gate is open."""
    return (GATES / f"{name}-{current_job().record.starts}").exists()


# Ordinary work


@app.task
async def nap(ms: int = 0) -> dict[str, Any]:
    say("start")
    await asyncio.sleep(ms / 1_000)
    return ended()


@app.task
def nap_thread(ms: int = 0) -> dict[str, Any]:
    say("start")
    time.sleep(ms / 1_000)
    return ended()


@app.task(run_in="process")
def nap_process(ms: int = 0) -> dict[str, Any]:
    say("start")
    time.sleep(ms / 1_000)
    return ended()


# Held until the test opens the gate


async def _opened(name: str) -> None:
    while not gate(name):  # noqa: ASYNC110 - a file tells nobody that it is there
        await asyncio.sleep(NAP)


async def _held(name: str) -> dict[str, Any]:
    say("start")
    try:
        await _opened(name)
    except asyncio.CancelledError:
        say("cancelled")
        raise
    return ended()


def _held_sync(name: str, goes_on: Callable[[], bool]) -> dict[str, Any]:
    job = say("start")
    told = False
    while not gate(name):
        time.sleep(NAP)
        if job.cancelled and not told:
            told = True
            say("cancelled")
            if not goes_on():
                break
    return ended()


@app.task(timeout=None)
async def hold(name: str) -> dict[str, Any]:
    return await _held(name)


@app.task(timeout=None)
def hold_thread(name: str) -> dict[str, Any]:
    return _held_sync(name, lambda: False)


@app.task(timeout=None)
def hold_deaf(name: str) -> dict[str, Any]:
    """A thread that notices that it was cancelled, and goes on all the same."""
    return _held_sync(name, lambda: True)


@app.task(timeout=None, run_in="process")
def hold_process(name: str) -> dict[str, Any]:
    return _held_sync(name, lambda: True)


@app.task(timeout="400ms", attempts=1)
async def slow(name: str) -> dict[str, Any]:
    return await _held(name)


@app.task(timeout="400ms", attempts=1)
def slow_thread(name: str) -> dict[str, Any]:
    return _held_sync(name, lambda: True)


@app.task(timeout="400ms", attempts=1, run_in="process")
def slow_process(name: str) -> dict[str, Any]:
    return _held_sync(name, lambda: True)


@app.task(timeout=None)
async def tidy(seconds: float) -> None:
    """Takes its time to clean up when it is interrupted."""
    say("start")
    try:
        await asyncio.sleep(3_600)
    finally:
        await asyncio.sleep(seconds)
        say("tidied")


@app.task(timeout=None)
async def stubborn(name: str) -> dict[str, Any]:
    """Ignores every interruption until its gate opens."""
    say("start")
    while not gate(name):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            say("cancelled")
    return ended()


@app.task(timeout=None)
async def elsewhere(name: str) -> dict[str, Any]:
    """Waits for a thread of the loop's own pool, which no cancellation reaches."""
    await asyncio.to_thread(_held_sync, name, lambda: True)
    return ended()


# A zombie: told to go on after its lease was lost


@app.task(timeout=None)
def haunt(name: str, heed: bool) -> dict[str, Any]:
    """Reports and returns once its gate is open; if it heeds, not before it knows of the loss."""
    job = say("start")
    while not gate(name) or (heed and not job.cancelled):
        time.sleep(NAP)
    if job.cancelled:
        say("cancelled")
    job.progress({"claim": job.record.starts})
    job.log(f"from claim {job.record.starts}")
    return ended()


@app.task(timeout=None)
async def haunt_loop(name: str) -> dict[str, Any]:
    job = say("start")
    await _opened(name)
    job.progress({"claim": job.record.starts})
    job.log(f"from claim {job.record.starts}")
    return ended()


# Blocking the event loop


@app.task(timeout=None)
async def block(seconds: float) -> dict[str, Any]:
    say("start")
    time.sleep(seconds)  # noqa: ASYNC251 - that is the fault
    return ended()


@app.task(timeout=None)
async def spin(seconds: float) -> dict[str, Any]:
    say("start")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1_000))
    return ended()


# Dying


@app.task(run_in="process")
def die(how: str, times: int = 1_000) -> dict[str, Any]:
    """Die in the first so many runs."""
    job = say("start")
    if job.record.starts > times:
        return ended()
    match how:
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            os._exit(7)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "memory":  # the way C code meets the limit: nobody looks at what malloc returned
            libc = ctypes.CDLL(None)
            libc.malloc.restype = ctypes.c_void_p
            libc.malloc.argtypes = [ctypes.c_size_t]
            resource.setrlimit(resource.RLIMIT_AS, (512 << 20, resource.RLIM_INFINITY))
            ctypes.memset(libc.malloc(4 << 30) or 0, 1, 4_096)
        case "stack":
            sys.setrecursionlimit(1 << 30)
            resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, resource.RLIM_INFINITY))
            _deep({})
        case _:
            raise AssertionError(how)
    raise AssertionError(f"survived {how}")


def _deep(value: Any) -> Any:
    return sorted([value], key=_deep)


@app.task(run_in="process", attempts=1)
def hoard() -> None:
    """Meet the memory limit in Python, which raises MemoryError."""
    say("start")
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, resource.RLIM_INFINITY))
    bytearray(4 << 30)


@app.task(run_in="process", timeout=None)
def spin_process() -> None:
    """Never ends by itself, and never sleeps."""
    say("start")
    while True:
        sum(range(1_000))


@app.task(run_in="process", timeout=None)
def parent(name: str) -> dict[str, Any]:
    """Has a process of its own, as one that calls ffmpeg does."""
    say("start")
    grandchild = subprocess.Popen(["sleep", "3600"])
    say("grandchild", str(grandchild.pid))
    while not gate(name):
        time.sleep(NAP)
    return ended()


# Typed arguments, for bad data


@app.task(attempts=1)
async def typed(count: int, names: list[str]) -> dict[str, Any]:
    say("start")
    return ended()


@app.task(attempts=2, backoff=0.01)
async def fails_once() -> dict[str, Any]:
    job = say("start")
    if job.attempt == 1:
        raise ValueError("the first time")
    return ended()


@app.task
def pool(count: int) -> dict[str, Any]:
    """Fork from a thread of the worker, as code that uses multiprocessing does."""
    say("start")
    with multiprocessing.get_context("fork").Pool(2) as children:  # its end sends them SIGTERM
        children.map(abs, range(count))
    return ended()
