"""The facade: a registry of tasks and a line to the broker."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec, Self, TypeVar, Unpack, cast, overload

from stoker.broker.base import Clock, QueueStats, system_clock
from stoker.client import Client
from stoker.config import DEFAULT_URL, BrokerURL, WorkerSettings, broker_url
from stoker.errors import ConfigError
from stoker.job.payload import MAX_BYTES
from stoker.job.retry import Strategy
from stoker.processor import Processor, register
from stoker.queue import Queue
from stoker.registry import Registry
from stoker.task import Task, TaskSettings
from stoker.worker import Worker

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound=Strategy)
X = TypeVar("X", bound=type[Processor[Any]])

DEFAULT_QUEUE = "default"


class _Decorator:
    """What ``@app.task(...)`` returns."""

    def __init__(self, app: Stoker, queue: str, name: str | None, settings: TaskSettings) -> None:
        self._app = app
        self._queue = queue
        self._name = name
        self._settings = settings

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Task[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Task[..., Any, Any]:
        return self._app._register(  # pyright: ignore[reportPrivateUsage]
            function, self._queue, self._name, self._settings
        )


class Stoker:
    """Background work for an application.

    ``url`` says where jobs are kept; by default the environment does (``STOKER_URL``, then
    ``REDIS_URL``, then ``REDIS_HOST``…), and if it does not, ``default_url``. Nothing is opened
    before it is needed. ``payload_limit`` is in bytes of JSON, for data and results.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        default_url: str = DEFAULT_URL,
        payload_limit: int = MAX_BYTES,
        clock: Clock = system_clock,
    ) -> None:
        self.registry = Registry()
        self.client = Client(broker_url(url, default=default_url), clock=clock)
        self._limit = payload_limit

    @property
    def url(self) -> BrokerURL:
        """Where jobs are kept. As text it does not show the password."""
        return self.client.url

    @overload
    def task(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Task[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R, R]: ...
    @overload
    def task(
        self,
        /,
        *,
        queue: str = DEFAULT_QUEUE,
        name: str | None = None,
        **settings: Unpack[TaskSettings],
    ) -> _Decorator: ...
    def task(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        queue: str = DEFAULT_QUEUE,
        name: str | None = None,
        **settings: Unpack[TaskSettings],
    ) -> Any:
        """Make a function a task: ``@app.task`` or ``@app.task(queue="email", attempts=5)``.

        The job's name is the function's unless ``name`` is given. Raises ``ConfigError``.
        """
        decorate = _Decorator(self, queue, name, settings)
        return decorate if function is None else decorate(function)

    def processor(self, cls: X) -> X:
        """Register a ``Processor`` class: ``@app.processor``. Raises ``ConfigError``."""
        self.registry.add(*register(cls, self.client, self._limit))
        return cls

    def backoff(self, name: str) -> Callable[[S], S]:
        """Register a backoff strategy of one's own: ``@app.backoff("night")``.

        The function is given the failed attempt's number and the job's record, and returns how long
        to wait. Jobs ask for it with ``Backoff("night")``, or in BullMQ's words with
        ``backoff: { type: "night" }``.
        """

        def register_strategy(strategy: S) -> S:
            self.registry.backoffs[name] = strategy
            return strategy

        return register_strategy

    def queue(self, name: str = DEFAULT_QUEUE) -> Queue:
        """Return the queue of that name; it need not have any task here."""
        return Queue(name, self.client, self._encode)

    async def queues(self) -> list[QueueStats]:
        """Return every queue that has ever had a job, or has a task here, with its counts."""
        stats = {queue.name: queue for queue in await (await self.client.broker()).queues()}
        for name in self.registry.queues():
            stats.setdefault(name, QueueStats(name, {}))
        return [stats[name] for name in sorted(stats)]

    async def worker(self, settings: WorkerSettings | None = None) -> Worker:
        """Return a worker for this app's tasks, to be ``run()`` in the calling event loop."""
        broker = await self.client.broker()
        return Worker(self.registry, broker, settings or WorkerSettings())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one of Stoker's coroutines from synchronous code: ``app.run(job.cancel())``."""
        return self.client.run(work)

    async def close(self) -> None:
        """Let go of the broker; the next use opens it again."""
        await self.client.close()

    async def __aenter__(self) -> Self:
        await self.client.broker()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _encode(self, queue: str, name: str, data: Mapping[str, Any]) -> str:
        return self.registry.encode(queue, name, data, self._limit)

    def _register(
        self, function: Callable[..., Any], queue: str, name: str | None, settings: TaskSettings
    ) -> Task[..., Any, Any]:
        if not callable(function) or isinstance(function, type):
            raise ConfigError(
                f"@app.task is for functions, not {function!r}",
                hint="for a class: @app.processor above class MyProcessor(Processor[...])",
            )
        task: Task[..., Any, Any] = Task(
            function,
            self.client,
            name=name or cast(str, getattr(function, "__name__", "")),
            queue=queue,
            settings=settings,
            limit=self._limit,
        )
        self.registry.add(
            task.handler, lambda data: task.arguments.encode_data(data, limit=self._limit)
        )
        return task
