"""Functions as tasks: directly callable, and typed to enqueue."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, TypeVar, Unpack

from stoker.client import Client
from stoker.handler import Handler, Origin, Result, Where, placement, policy
from stoker.job.model import Dedup, NewJob
from stoker.job.outcome import Control
from stoker.job.payload import MAX_BYTES, Arguments, by_name, encode_each
from stoker.job.settings import JobSettings, check_name, unknown
from stoker.producer import Producer
from stoker.queue import Job

P = ParamSpec("P")
C = TypeVar("C")
R_co = TypeVar("R_co", covariant=True)
X = TypeVar("X")

_ELSEWHERE = frozenset({"delay", "apply_async", "send", "defer", "kiq", "perform_async"})
"""What adding a job is called by others."""


class TaskSettings(JobSettings, total=False):
    """What may be set on a task, for all of its jobs."""

    run_in: Where | None
    """Where its handler runs; by default the loop for ``async def``, a thread for ``def``."""
    dedup: Dedup | str | Callable[..., Dedup | str | None]  # pyright: ignore[reportIncompatibleVariableOverride]
    """As for a job, or a function of the task's arguments that gives it."""


class Task(Generic[P, C, R_co]):
    """A function whose calls can be enqueued. Calling it is calling the function.

    ``P`` are its parameters, ``C`` what a call returns, ``R_co`` what a run returns. A job's result
    is ``X``: the same less ``Snooze``, ``Retry`` and ``Cancel``, with which no job ends.
    """

    def __init__(
        self,
        function: Callable[P, C],
        client: Client,
        *,
        name: str,
        queue: str,
        settings: Mapping[str, Any],
        limit: int = MAX_BYTES,
    ) -> None:
        where = f"{name}()"
        self.name = check_name(name, "name")
        self.queue = check_name(queue, "queue")
        unknown(settings, TaskSettings, where)
        self._function = function
        self._limit = limit
        self.arguments = Arguments.of(function)
        result = Result(function, where, limit)
        is_async = inspect.iscoroutinefunction(function)
        origin = Origin.of(function)
        call: Callable[..., Any] = function
        self.handler = Handler(
            name=name,
            queue=queue,
            run_in=placement(settings.get("run_in"), is_async, origin, where),
            is_async=is_async,
            policy=policy(settings, where),
            decode=self.arguments.decode,
            call=lambda context: call(**context.data),
            encode=result.encode,
            origin=origin,
        )
        self._producer: Producer[Any] = Producer(client, queue, name, settings, result.decode)
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", name)
        self.__module__ = function.__module__

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> C:
        return self._function(*args, **kwargs)

    if not TYPE_CHECKING:  # to a type checker every misspelt name would be right

        def __getattr__(self, name: str) -> Never:
            hint = "; enqueue() adds a job" if name in _ELSEWHERE else ""
            # Not self.name: a copy that is being made has none yet.
            task = self.__dict__.get("name")
            raise AttributeError(f"task {task!r} has no {name!r}{hint}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"Task({self.name!r}, queue={self.queue!r})"

    async def enqueue(
        self: Task[P, C, X | Control], /, *args: P.args, **kwargs: P.kwargs
    ) -> Job[X]:
        """Add a job that will call the function with these arguments.

        Raises ``InvalidPayload`` or ``BrokerError``; nothing is written then.
        """
        data = self.arguments.encode(args, kwargs, limit=self._limit)
        return await self._producer.add(self._producer.job(data, *args, **kwargs))

    def enqueue_sync(self: Task[P, C, X | Control], /, *args: P.args, **kwargs: P.kwargs) -> Job[X]:
        """``enqueue`` for synchronous code."""
        data = self.arguments.encode(args, kwargs, limit=self._limit)
        return self._producer.add_sync(self._producer.job(data, *args, **kwargs))

    async def enqueue_many(
        self: Task[P, C, X | Control], calls: Iterable[Mapping[str, Any]]
    ) -> list[Job[X]]:
        """Add a job for each mapping of arguments by name, in large batches.

        All are checked before the first is written. Raises ``InvalidPayload`` naming the call.
        """
        encode, job = self.arguments.encode_data, self._producer.job

        def one(call: Mapping[str, Any]) -> NewJob:
            given = by_name(call, f"{self.name}()")
            return job(encode(given, limit=self._limit), **given)

        return await self._producer.add_many(encode_each(calls, one, "calls"))

    def options(self, **settings: Unpack[JobSettings]) -> Task[P, C, R_co]:
        """Return the same task with other settings for the jobs that are added through it."""
        other = copy.copy(self)
        other._producer = self._producer.with_settings(settings)
        return other
