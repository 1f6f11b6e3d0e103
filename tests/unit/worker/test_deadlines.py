"""Deadlines: each run is told when its time is up, not before, and not if it is through."""

from __future__ import annotations

import asyncio
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from stoker.context import JobContext, Reporter
from stoker.handler import Handler
from stoker.job.model import lease_of
from stoker.job.retry import Policy
from stoker.worker.deadlines import Deadlines
from stoker.worker.run import Run
from tests.unit.support import a_job, timeless


def a_run(timeout_ms: int | None) -> Run:
    """Return a run of which nothing but the time is of interest."""
    record, nobody = a_job(), cast(Reporter, None)
    context = JobContext(record, None, 1, nobody)
    policy = Policy(timeout_ms=timeout_ms)
    return Run(record, lease_of(record), cast(Handler, None), policy, context)


@given(st.lists(st.tuples(st.sampled_from([None, 1, 10, 25]), st.integers(0, 30), st.booleans())))
def test_a_run_is_told_when_its_time_is_up_unless_it_is_through(
    plan: list[tuple[int | None, int, bool]],
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        told: dict[Run, int] = {}
        deadlines = Deadlines(lambda run: told.update({run: round(loop.time() * 1_000)}))
        expected: dict[Run, int] = {}
        for timeout_ms, begin_ms, ends in plan:
            run = a_run(timeout_ms)
            loop.call_later(begin_ms / 1_000, deadlines.add, run)
            if ends:
                halfway = begin_ms + (timeout_ms or 10) / 2
                loop.call_later(halfway / 1_000, deadlines.discard, run)
            elif timeout_ms is not None:
                expected[run] = begin_ms + timeout_ms

        await asyncio.sleep(1)

        assert told == expected

    timeless(main())


def test_a_run_that_has_ended_is_not_measured() -> None:
    async def main() -> None:
        told: list[Run] = []
        deadlines = Deadlines(told.append)
        run = a_run(10)
        run.ended = True

        deadlines.add(run)
        await asyncio.sleep(1)

        assert told == []

    timeless(main())


def test_a_run_that_never_began_can_be_through() -> None:
    async def main() -> None:
        Deadlines(lambda run: None).discard(a_run(10))

    timeless(main())


def test_there_is_one_timer_for_all_runs_of_one_timeout() -> None:
    class Loop(asyncio.SelectorEventLoop):
        timers = 0

        def call_at(self, *arguments: object, **named: object) -> asyncio.TimerHandle:
            self.timers += 1
            return super().call_at(*arguments, **named)  # pyright: ignore[reportArgumentType]

    async def main() -> int:
        deadlines = Deadlines(lambda run: None)
        runs = [a_run(60_000) for _ in range(1_000)]
        for run in runs:
            deadlines.add(run)
        for run in runs:
            deadlines.discard(run)
        return cast(Loop, asyncio.get_running_loop()).timers

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == 1
