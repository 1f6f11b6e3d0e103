"""Threads for blocking code: reused, replaced when stuck, gone when idle."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from stoker.worker.executors.thread import Threads
from tests.unit.support import soon, turns


class Hesitating(SimpleQueue[Any]):
    """A queue that stops a thread at one of its visits: until ``go``, and then with ``then``."""

    def __init__(self, visit: int, then: Exception | None = None) -> None:
        self.came, self.go = threading.Event(), threading.Event()
        self._left = visit
        self._then = then

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        self._left -= 1
        if self._left == 0:
            self.came.set()
            self.go.wait(10)
            if self._then is not None:
                raise self._then
        return super().get(block, timeout)


class Stuck:
    """A call that is under way until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> str:
        self.thread = threading.current_thread()
        self.begun.set()
        self.let_go.wait(10)
        return "at last"

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 10)


async def ended(thread: threading.Thread | None) -> bool:
    assert thread is not None
    await asyncio.to_thread(thread.join, 10)
    return not thread.is_alive()


async def test_a_call_runs_beside_the_loop_and_its_value_comes_back() -> None:
    threads = Threads()

    value, thread = await threads.run(lambda a, b: (a + b, threading.current_thread()), 1, 2)

    assert value == 3
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.parametrize("before", [0, 40])
async def test_calls_at_once_run_at_once_whatever_was_before(before: int) -> None:
    threads, together = Threads(), threading.Barrier(20)
    for _ in range(before):
        await threads.run(threading.current_thread)

    places = await soon(asyncio.gather(*(threads.run(together.wait, 10) for _ in range(20))))

    assert sorted(places) == list(range(20))


async def test_a_thread_is_used_again() -> None:
    threads = Threads()

    used = {await threads.run(threading.current_thread) for _ in range(200)}

    # One that has just answered may not be idle yet when the next call comes.
    assert len(used) < 20


async def test_a_call_knows_the_context_it_was_made_in() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    threads = Threads()

    variable.set("mine")

    assert await threads.run(variable.get) == "mine"


@pytest.mark.parametrize(
    ("raised", "reaches"),
    [
        (ValueError("x"), ValueError),
        (SystemExit(3), SystemExit),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (asyncio.CancelledError(), asyncio.CancelledError),
        (StopIteration(7), RuntimeError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_what_a_call_raises_reaches_the_caller_and_harms_no_thread(
    raised: BaseException, reaches: type[BaseException]
) -> None:
    threads = Threads()

    def fails() -> None:
        raise raised

    error = await caught(threads.run(fails))

    assert type(error) is reaches
    assert await threads.run(lambda: "still here") == "still here"


async def test_a_stop_iteration_is_named() -> None:
    error = await caught(Threads().run(next, iter(())))

    assert isinstance(error, RuntimeError)
    assert str(error) == "the handler raised StopIteration()"


async def test_a_stuck_thread_is_left_behind_and_others_take_its_place() -> None:
    threads, stuck = Threads(), Stuck()
    waiting = asyncio.create_task(threads.run(stuck))
    await stuck.has_begun()

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    others = {await threads.run(threading.current_thread) for _ in range(5)}
    assert stuck.thread not in others
    stuck.let_go.set()
    assert await threads.run(lambda: "after all") == "after all"


async def test_a_call_that_was_given_up_before_it_began_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Hesitating(visit=1)
    monkeypatch.setattr("stoker.worker.executors.thread.SimpleQueue", lambda: queue)
    threads = Threads()
    made: list[int] = []

    waiting = asyncio.ensure_future(threads.run(made.append, 1))
    await turns()
    waiting.cancel()
    await asyncio.wait([waiting])
    queue.go.set()

    await soon(threads.run(made.append, 2))
    assert made == [2]


async def test_a_call_that_comes_as_its_thread_is_about_to_leave_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Hesitating(visit=2, then=Empty())
    monkeypatch.setattr("stoker.worker.executors.thread.SimpleQueue", lambda: queue)
    threads = Threads()
    thread = await soon(threads.run(threading.current_thread))
    assert await asyncio.to_thread(queue.came.wait, 10)

    waiting = asyncio.ensure_future(threads.run(threading.current_thread))
    await turns()
    queue.go.set()

    assert await soon(waiting) is thread


async def test_an_idle_thread_ends_and_a_new_one_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stoker.worker.executors.thread.IDLE_SECONDS", 0.001)
    threads = Threads()

    for _ in range(20):
        thread = await threads.run(threading.current_thread)
        assert await ended(thread)


async def test_no_call_is_lost_while_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoker.worker.executors.thread.IDLE_SECONDS", 0)
    threads = Threads()

    numbers = [
        number
        for start in range(0, 500, 5)
        for number in await soon(
            asyncio.gather(*(threads.run(int, number) for number in range(start, start + 5)))
        )
    ]

    assert numbers == list(range(500))


def test_a_loop_that_is_gone_stops_no_thread() -> None:
    threads, stuck = Threads(), Stuck()

    async def leaves() -> None:
        waiting = asyncio.ensure_future(threads.run(stuck))
        await stuck.has_begun()
        waiting.cancel()

    async def comes_back() -> None:
        async with asyncio.timeout(10):
            used: set[threading.Thread] = set()
            while stuck.thread not in used:
                two = [threads.run(threading.current_thread) for _ in range(2)]
                used |= set(await asyncio.gather(*two))

    asyncio.run(leaves())
    stuck.let_go.set()
    asyncio.run(comes_back())


async def caught(waiting: Any) -> BaseException | None:
    """Return what is raised, whatever it is."""
    try:
        await waiting  # in no task of its own: a loop stops at a task that exits
    except BaseException as error:
        return error
    return None
