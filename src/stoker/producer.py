"""Makes jobs of one task and adds them: what a function task and a processor have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from stoker.broker.base import Added
from stoker.client import Client
from stoker.job.model import NewJob
from stoker.job.settings import Settled, settle
from stoker.queue import Job

R = TypeVar("R")

_AT_ENQUEUE = ("delay", "priority", "lifo")


class Producer(Generic[R]):
    """Adds jobs for the task ``name`` in ``queue``."""

    def __init__(
        self,
        client: Client,
        queue: str,
        name: str,
        settings: Mapping[str, Any],
        decode: Callable[[str], Any],
    ) -> None:
        self._client = client
        self._queue = queue
        self._name = name
        self._where = f"{name}()"
        self._decode = decode
        self._dedup: Any = settings.get("dedup")
        if not callable(self._dedup):
            settle({"dedup": self._dedup}, self._where)
        # How its jobs are run is the task's business wherever it runs; only what the store has to
        # know at once goes with every job.
        self._settings = {key: settings[key] for key in _AT_ENQUEUE if key in settings}
        self._settled = settle(self._settings, self._where)

    def with_settings(self, settings: Mapping[str, Any]) -> Producer[R]:
        """Return a producer whose jobs have these settings too."""
        merged = {"dedup": self._dedup, **self._settings, **settings}
        other: Producer[R] = Producer(self._client, self._queue, self._name, merged, self._decode)
        # Here it is the producer's say how its jobs are run, too.
        other._settings = {key: value for key, value in merged.items() if key != "dedup"}
        other._settled = settle(other._settings, self._where)
        return other

    def job(self, data: str, /, *args: Any, **kwargs: Any) -> NewJob:
        """Return the job for a payload; the arguments are for a ``dedup`` that is a function."""
        settled: Settled = self._settled
        if self._dedup is not None:
            key = self._dedup(*args, **kwargs) if callable(self._dedup) else self._dedup
            dedup = settle({"dedup": key}, self._where).dedup
            settled = msgspec.structs.replace(settled, dedup=dedup)
        return settled.job(self._queue, self._name, data)

    async def add(self, job: NewJob) -> Job[R]:
        """Add one job."""
        return self._handle(await self._client.add(job))

    def add_sync(self, job: NewJob) -> Job[R]:
        """Add one job from synchronous code."""
        return self._client.run(self.add(job))

    async def add_many(self, jobs: Iterable[NewJob]) -> list[Job[R]]:
        """Add many, in large batches."""
        return [self._handle(added) for added in await self._client.add_many(list(jobs))]

    def _handle(self, added: Added) -> Job[R]:
        return Job(
            self._client, self._queue, added.id, duplicate=added.duplicate, decode=self._decode
        )
