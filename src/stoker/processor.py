"""Classes as tasks: a typed payload, set-up and tear-down, hooks for failures."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import FunctionType
from typing import Any, ClassVar, Generic, TypeVar, Unpack, get_args, get_origin

from stoker.client import Client
from stoker.context import JobContext
from stoker.errors import ConfigError
from stoker.failure import Failure
from stoker.handler import Handler, Hooks, Origin, Result, Where, placement, policy
from stoker.job.duration import Duration
from stoker.job.model import Backoff, Dedup, Keep
from stoker.job.payload import Payload, encode_each
from stoker.job.settings import JobSettings, check_name
from stoker.producer import Producer
from stoker.queue import Job

T = TypeVar("T")

_SETTINGS = ("attempts", "backoff", "timeout", "keep_completed", "keep_failed", "priority")


class Processor(Generic[T]):
    """Runs the jobs of a queue, each with a payload of type ``T``.

    Subclass it, implement ``process`` (``def`` or ``async def``), register it with
    ``@app.processor``. A worker makes one instance for all jobs (with ``run_in="process"``, one in
    each child process). It takes every job of its queue for which no task is registered by name.

    ``T`` is a dataclass, TypedDict, msgspec Struct, pydantic model or ``dict[str, Any]``.

    ``setup`` and ``teardown`` are called where ``process`` runs; the two hooks for failures always
    in the worker itself, which with ``run_in="process"`` has an instance of its own that was not
    set up. Like ``process``, a hook may be called again after a crash.
    """

    queue: ClassVar[str] = "default"
    name: ClassVar[str] = ""
    """The name of the jobs it adds; by default the class's."""
    concurrency: ClassVar[int | None] = None
    """Jobs of the queue at once in one worker; ``None``: as many as the worker has slots."""
    run_in: ClassVar[Where | None] = None
    attempts: ClassVar[int]
    backoff: ClassVar[Backoff | Duration]
    timeout: ClassVar[Duration | None]
    keep_completed: ClassVar[Keep | bool | int]
    keep_failed: ClassVar[Keep | bool | int]
    priority: ClassVar[int]

    handler: ClassVar[Handler]
    """Set by the registration: what a worker needs."""
    _payload: ClassVar[Payload]
    _limit: ClassVar[int]
    _producer: ClassVar[Producer[Any]]

    def process(self, job: JobContext[T]) -> Any:
        """Do the work of one job and return its result."""
        raise NotImplementedError(f"{type(self).__name__}.process")

    async def setup(self) -> None:
        """Called once before the first job."""

    async def teardown(self) -> None:
        """Called once after the last."""

    async def on_failed(self, job: JobContext[T], failure: Failure) -> None:
        """Called after each failed attempt, the last one included."""

    async def on_dead(self, job: JobContext[T], failure: Failure) -> None:
        """Called when a failure has made the job a dead letter: no attempt left, or ``Cancel``.

        Not when somebody cancels it: they know, and no worker need be there.
        """

    @classmethod
    async def enqueue(cls, payload: T) -> Job[Any]:
        """Add a job; raises ``InvalidPayload`` or ``BrokerError``, and nothing is written then."""
        return await cls._registered().add(cls._job(payload))

    @classmethod
    def enqueue_sync(cls, payload: T) -> Job[Any]:
        """``enqueue`` for synchronous code."""
        return cls._registered().add_sync(cls._job(payload))

    @classmethod
    async def enqueue_many(cls, payloads: Iterable[T]) -> list[Job[Any]]:
        """Add a job for each payload, in large batches; all are checked before the first.

        Raises ``InvalidPayload`` naming the payload.
        """
        return await cls._registered().add_many(encode_each(payloads, cls._job, "payloads"))

    @classmethod
    def options(cls, **settings: Unpack[JobSettings]) -> type[Processor[T]]:
        """Return the same processor with other settings for the jobs added through it."""
        producer = cls._registered().with_settings(settings)
        return type(cls.__name__, (cls,), {"_producer": producer, "__module__": cls.__module__})

    @classmethod
    def _job(cls, payload: T) -> Any:
        return cls._registered().job(cls._payload.encode(payload, limit=cls._limit), payload)

    @classmethod
    def _registered(cls) -> Producer[Any]:
        if "_producer" not in cls.__dict__:  # a parent's would add the parent's jobs
            raise ConfigError(
                f"{cls.__name__} is not registered", hint="put @app.processor above the class"
            )
        return cls._producer


_ATTRIBUTES = ("queue", "name", "concurrency", "run_in", *_SETTINGS)
_HOOKS = ("setup", "teardown", "on_failed", "on_dead")
_OF_A_JOB = ("delay", "lifo", "dedup")
_KINDS = (bool, int, float, str, timedelta, Keep, Backoff, type(None))
"""What the value of a setting can be: an attribute of another kind is none."""


def _refuse_misspelt(cls: type[Processor[Any]]) -> None:
    """Refuse an attribute of the class, or a method, that is nearly called like one of ours."""
    own: dict[str, Any] = {}
    for base in cls.__mro__[: cls.__mro__.index(Processor)]:
        own = {**vars(base), **own}
    for name, value in own.items():
        if name in _OF_A_JOB and isinstance(value, (*_KINDS, Dedup)):
            raise ConfigError(
                f"{cls.__name__}.{name}: it is not a setting of a processor, but of a job",
                hint=f"{cls.__name__}.options({name}=...).enqueue(...)",
            )
        known = _HOOKS if inspect.isfunction(value) else _ATTRIBUTES
        if name in known or name[0] == "_" or not isinstance(value, (*_KINDS, FunctionType)):
            continue
        if close := difflib.get_close_matches(name, known, 1, cutoff=0.8):
            raise ConfigError(
                f"{cls.__name__}.{name}: there is no such setting or hook",
                hint=f"did you mean {close[0]!r}? One of your own begins with _",
            )


def register(
    cls: type[Processor[Any]], client: Client, limit: int
) -> tuple[Handler, Callable[[Mapping[str, Any]], str]]:
    """Bind a processor class to an app's client; return its handler and a check of plain data.

    Raises ``ConfigError``.
    """
    where = cls.__name__
    name = check_name(cls.name or where, f"{where}.name")
    queue = check_name(cls.queue, f"{where}.queue")
    settings = {key: getattr(cls, key) for key in _SETTINGS if hasattr(cls, key)}
    base: Any = Processor
    if cls.process is base.process:
        raise ConfigError(f"{where} has no process()", hint="def process(self, job): ...")
    at_once: Any = cls.concurrency
    if at_once is not None and (type(at_once) is not int or at_once < 1):
        raise ConfigError(f"{where}: concurrency={cls.concurrency!r} is not 1 or more")
    _refuse_misspelt(cls)
    instance = cls()
    payload_type = _payload_type(cls)
    if payload_type is None or isinstance(payload_type, TypeVar):
        raise ConfigError(
            f"{where} does not say what its payload is",
            hint="class MyProcessor(Processor[MyPayload]); "
            "Processor[dict[str, Any]] takes anything",
        )
    payload = Payload.of(payload_type)
    result = Result(cls.process, where, limit)
    cls._limit = limit  # pyright: ignore[reportPrivateUsage]
    cls._payload = payload  # pyright: ignore[reportPrivateUsage]
    cls._producer = Producer(client, queue, name, settings, result.decode)  # pyright: ignore[reportPrivateUsage]
    is_async = inspect.iscoroutinefunction(cls.process)
    origin = Origin.of(cls)
    handler = Handler(
        name=name,
        queue=queue,
        run_in=placement(cls.run_in, is_async, origin, where),
        is_async=is_async,
        policy=policy(settings, where),
        decode=payload.decode,
        call=instance.process,
        encode=result.encode,
        origin=origin,
        concurrency=cls.concurrency,
        hooks=Hooks(instance.setup, instance.teardown, instance.on_failed, instance.on_dead),
    )
    cls.handler = handler
    return handler, lambda data: payload.encode(dict(data), limit=limit)


def _payload_type(cls: type[Processor[Any]]) -> Any:
    payload = _argument_of(cls)
    if isinstance(payload, TypeVar):
        raise ConfigError(
            f"{cls.__name__} does not say what its payload is",
            hint="class Mine(Processor[MyPayload]); Processor[dict[str, Any]] takes anything",
        )
    return payload


def _argument_of(cls: Any) -> Any:
    """Return what ``T`` of ``Processor`` is in a subclass, or the TypeVar it is left open with."""
    for base in cls.__dict__.get("__orig_bases__", cls.__bases__):
        origin: Any = get_origin(base) or base
        if origin is Processor:
            return next(iter(get_args(base)), T)
        if Processor in origin.__mro__:
            inner = _argument_of(origin)
            bound: dict[Any, Any] = dict(zip(origin.__parameters__, get_args(base), strict=False))
            return bound.get(inner, inner)
    return T
