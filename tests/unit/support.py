"""What unit tests share: a broker that is watched, and a loop whose time costs none."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from stoker.broker.base import Broker
from stoker.job.model import JobRecord
from stoker.job.states import State

T = TypeVar("T")


def a_job(**fields: Any) -> JobRecord:
    """Return the record of a claimed job; a test names only the fields that matter to it."""
    usual: dict[str, Any] = {
        "queue": "default",
        "id": "1",
        "name": "work",
        "data": "{}",
        "options": "{}",
        "state": State.ACTIVE,
        "priority": 0,
        "created_at": 0,
        "token": "token",
    }
    return JobRecord(**(usual | fields))


class Watched:
    """A broker whose calls are written down, and may be held up or made to fail."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.faults: dict[str, list[BaseException]] = {}
        """Operation → what its next calls raise, one after the other."""
        self.gates: dict[str, asyncio.Event] = {}
        """Operation → what its calls wait for before they reach the broker."""

    def count(self, operation: str) -> int:
        return len(self.of(operation))

    def of(self, operation: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each call of the operation."""
        return [arguments for name, arguments in self.calls if name == operation]

    @property
    def settled_at_once(self) -> int:
        return self.broker.settled_at_once

    async def open(self) -> Watched:
        await self._call("open")
        return self

    def warnings(self) -> Sequence[str]:
        return ()

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            return await self._call(name, *arguments, **named)

        return call

    async def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        self.calls.append((name, arguments))
        if gate := self.gates.get(name):
            await gate.wait()
        if faults := self.faults.get(name):
            raise faults.pop(0)
        return await getattr(self.broker, name)(*arguments, **named)


async def soon(waiting: Any) -> Any:
    """Wait for what has to happen; the time is far above what anything here needs."""
    return await asyncio.wait_for(waiting, 10)


async def turns(count: int = 10) -> None:
    """Let everything that is ready on the loop go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def timeless(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on a loop that, instead of waiting, sets its clock forward.

    For code without threads or I/O. Waiting for what can never happen is an error at once.
    """
    with asyncio.Runner(loop_factory=_TimelessLoop) as runner:
        return runner.run(main)


class _TimelessLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: _TimelessLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits for something that will never happen")
        self._loop.skip(timeout)
        return super().select(0)
