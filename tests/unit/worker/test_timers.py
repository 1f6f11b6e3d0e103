"""Timers that are on time, on the loop that a worker's process gets."""

from __future__ import annotations

import asyncio
import os
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from stoker.worker import timers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere asyncio's own timers are on time"
)

MILLISECOND = 0.001
PAUSE = 0.0002
TRIES = 200
"""One in time is enough: waits that are rounded up never are."""


def shortest(wait: Callable[[], Any]) -> float:
    """Return the least of several tries, in seconds."""
    took: list[float] = []
    for _ in range(TRIES):
        began = time.perf_counter()
        wait()
        took.append(time.perf_counter() - began)
    return min(took)


@pytest.fixture
def selector() -> Iterator[timers.PreciseSelector]:
    with timers.PreciseSelector() as selector:
        yield selector


def test_a_short_wait_is_not_rounded_up(selector: timers.PreciseSelector) -> None:
    assert PAUSE <= shortest(lambda: selector.select(PAUSE)) < MILLISECOND


@pytest.mark.parametrize("timeout", [None, 60.0, PAUSE, 0.0, -1.0])
def test_what_is_ready_is_returned_at_once(
    selector: timers.PreciseSelector, timeout: float | None
) -> None:
    reading, writing = os.pipe()
    try:
        selector.register(reading, selectors.EVENT_READ, "pipe")
        os.write(writing, b"x")
        [(key, events)] = selector.select(timeout)
        assert (key.data, events) == ("pipe", selectors.EVENT_READ)
    finally:
        os.close(reading)
        os.close(writing)


def test_with_nothing_ready_it_ends_when_the_time_is_up(selector: timers.PreciseSelector) -> None:
    assert selector.select(PAUSE) == []
    assert selector.select(0) == []


def test_a_file_descriptor_too_large_for_select_is_waited_for_all_the_same() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = timers.MOST_FILES + 200
    assert hard == resource.RLIM_INFINITY or hard >= most
    with ExitStack() as stack:
        if soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while (file := os.dup(0)) < timers.MOST_FILES:
            stack.callback(os.close, file)
        stack.callback(os.close, file)
        selector = stack.enter_context(timers.PreciseSelector())
        assert selector.fileno() >= timers.MOST_FILES
        assert selector.select(PAUSE) == []


@pytest.fixture
def made() -> Iterator[Callable[[], asyncio.AbstractEventLoop]]:
    loops: list[asyncio.AbstractEventLoop] = []

    def make() -> asyncio.AbstractEventLoop:
        loops.append(timers.new_event_loop())
        return loops[-1]

    before = asyncio.get_event_loop_policy()
    yield make
    asyncio.set_event_loop_policy(before)
    for loop in loops:
        loop.close()


def test_the_loop_of_an_application_s_own_policy_is_kept(
    made: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    def factory(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        return asyncio.Task(work, loop=loop, **more)

    class OwnPolicy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loop = super().new_event_loop()
            loop.set_task_factory(factory)
            return loop

    asyncio.set_event_loop_policy(OwnPolicy())

    assert made().get_task_factory() is factory


def test_a_selector_that_was_put_in_asyncio_s_place_is_kept(
    monkeypatch: pytest.MonkeyPatch, made: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """As gevent does, which takes the others away."""
    taken: list[selectors.BaseSelector] = []

    def other() -> selectors.BaseSelector:
        taken.append(selectors.PollSelector())
        return taken[-1]

    monkeypatch.setattr(selectors, "DefaultSelector", other)

    made()

    assert len(taken) == 1


IN_A_WORKER = f"""
import asyncio, time
from stoker.worker.leave import run_and_leave

async def work() -> None:
    took = []
    for _ in range({TRIES}):
        began = time.perf_counter()
        await asyncio.sleep({PAUSE})
        took.append(time.perf_counter() - began)
    print(min(took))

run_and_leave(work(), lambda error: 1)
"""


def test_handlers_in_a_worker_s_process_sleep_no_longer_than_asked() -> None:
    """The pause, and what a turn of the loop takes."""
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_WORKER], capture_output=True, text=True, check=True
    )
    assert PAUSE <= float(ran.stdout) < MILLISECOND
