"""The application that Stoker's worker process runs; its store is named by ``STOKER_URL``."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.stamps import Stamps
from stoker import Stoker, Task


class Tasks(NamedTuple):
    """An app and its tasks."""

    app: Stoker
    noop: Task[..., Any, None]
    timed: Task[..., Any, None]


def make(url: str | None = None, stamps: Stamps | None = None) -> Tasks:
    """Return the app; without stamps its handlers are not to be run."""
    app = Stoker(url)

    @app.task
    async def noop(n: int) -> None:
        assert stamps is not None
        stamps.tick()

    @app.task
    async def timed(sent: int) -> None:
        assert stamps is not None
        stamps.note(sent)

    return Tasks(app, noop, timed)
