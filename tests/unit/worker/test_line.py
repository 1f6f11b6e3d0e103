"""Jobs that wait for a slot: in order, and never for long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from stoker.handler import Where
from stoker.job.model import Lease
from stoker.worker.line import LONGEST_SECONDS, Line
from stoker.worker.run import Run
from tests.unit.support import timeless


def waiting(id: str, run_in: Where = "loop") -> Run:
    nothing = cast(Any, None)
    handler = cast(Any, SimpleNamespace(run_in=run_in))
    return Run(nothing, Lease("default", id, "t"), handler, nothing, nothing)


def ids(runs: Any) -> list[str]:
    return [run.lease.id for run in runs]


def test_who_came_first_begins_first() -> None:
    async def main() -> list[Run | None]:
        line = Line(lambda run: None)
        for id in "abc":
            line.put(waiting(id))
        line.take(Lease("default", "b", "t"))
        return [line.next(child_free=True) for _ in range(3)]

    *begun, nothing = timeless(main())

    assert ids(begun) == ["a", "c"]
    assert nothing is None


def test_who_needs_no_child_goes_past_those_that_wait_for_one() -> None:
    async def main() -> list[Run | None]:
        line = Line(lambda run: None)
        line.put(waiting("a", "process"))
        line.put(waiting("b"))
        line.put(waiting("c", "process"))
        return [line.next(child_free=free) for free in (False, False, True, True, True)]

    b, nobody, a, c, nothing = timeless(main())

    assert ids([b, a, c]) == ["b", "a", "c"]
    assert (nobody, nothing) == (None, None)


def test_who_is_not_there_cannot_be_taken_out() -> None:
    async def main() -> Run | None:
        return Line(lambda run: None).take(Lease("default", "a", "t"))

    assert timeless(main()) is None


def test_who_has_waited_for_too_long_is_given_back() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        given: list[tuple[str, float]] = []
        line = Line(lambda run: given.append((run.lease.id, loop.time())))
        line.put(waiting("a"))
        line.put(waiting("b"))
        line.next(child_free=True)
        line.watch()
        await asyncio.sleep(LONGEST_SECONDS * 1.5)
        line.put(waiting("c"))
        line.watch()
        await asyncio.sleep(LONGEST_SECONDS * 10)
        line.put(waiting("d"))
        line.watch()
        await asyncio.sleep(LONGEST_SECONDS * 10)
        return given

    given = timeless(main())

    assert [id for id, _ in given] == ["b", "c", "d"]
    came = [0.0, LONGEST_SECONDS * 1.5, LONGEST_SECONDS * 11.5]
    for (_, at), since in zip(given, came, strict=True):
        assert LONGEST_SECONDS <= at - since <= LONGEST_SECONDS * 2.001


def test_all_are_given_back_when_a_worker_stops() -> None:
    async def main() -> tuple[list[str], Run | None]:
        line = Line(lambda run: None)
        for id in "abc":
            line.put(waiting(id))
        return ids(line.take_all()), line.next(child_free=True)

    assert timeless(main()) == (["a", "b", "c"], None)
