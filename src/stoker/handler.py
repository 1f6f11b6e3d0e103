"""What a worker needs to know to run the jobs of one task, whether function or processor."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from stoker.context import JobContext
from stoker.errors import ConfigError
from stoker.failure import Failure
from stoker.job.outcome import Control
from stoker.job.payload import Payload, encode_any
from stoker.job.retry import Policy
from stoker.job.settings import job_options

Where = Literal["loop", "thread", "process"]
"""The event loop (``async def``), a thread (``def``), or a child process (CPU work, or what may
crash: a timeout kills it, a segfault costs one job)."""


class Origin(msgspec.Struct, frozen=True):
    """Where a child process finds the task: a name in a module, or in a script."""

    module: str
    qualname: str
    script: str | None = None

    @classmethod
    def of(cls, thing: Any) -> Origin:
        """Return the origin of a function or class."""
        module: str = thing.__module__
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        return cls(module, thing.__qualname__, script if module == "__main__" else None)


class Hooks(msgspec.Struct, frozen=True):
    """What a processor may do besides processing; plain tasks do none of it."""

    setup: Callable[[], Any]
    teardown: Callable[[], Any]
    on_failed: Callable[[JobContext[Any], Failure], Any]
    on_dead: Callable[[JobContext[Any], Failure], Any]


class Handler(msgspec.Struct, frozen=True):
    """How the jobs of one task are run."""

    name: str
    queue: str
    run_in: Where
    is_async: bool
    policy: Policy
    decode: Callable[[str], Any]
    """Stored JSON text → the context's data; raises ``InvalidPayload``."""
    call: Callable[[JobContext[Any]], Any]
    """Runs it; returns an awaitable if ``is_async``."""
    encode: Callable[[Any], str]
    """Result → JSON text; raises ``InvalidPayload``."""
    origin: Origin
    concurrency: int | None = None
    """Jobs at once of its queue in one worker, below the worker's own limit."""
    hooks: Hooks | None = None


def placement(given: Where | None, is_async: bool, origin: Origin, where: str) -> Where:
    """Return where a handler runs: as said, else where its kind belongs.

    Raises ``ConfigError`` for a place it cannot run in.
    """
    if given is None:
        return "loop" if is_async else "thread"
    if given not in get_args(Where):
        raise ConfigError(
            f"{where}: run_in={given!r} is no place to run in", hint="'loop', 'thread' or 'process'"
        )
    if given == "loop" and not is_async:
        raise ConfigError(
            f"{where}: a plain def would block the event loop",
            hint="make it async def, or leave run_in out to run it in a thread",
        )
    if given == "thread" and is_async:
        raise ConfigError(
            f"{where}: async def runs on the event loop", hint="run_in='process' or leave it out"
        )
    if given == "process" and "<locals>" in origin.qualname:
        raise ConfigError(
            f"{where}: a child process cannot find a function inside another",
            hint="define it at the top level of a module",
        )
    return given


def policy(settings: Mapping[str, Any], where: str) -> Policy:
    """Return the task's policy: the defaults and what was set."""
    chosen = msgspec.structs.asdict(job_options(settings, where))
    return Policy(**{name: value for name, value in chosen.items() if value is not msgspec.UNSET})


class Result:
    """How a handler's result is stored and read again, by its return annotation if it has one."""

    def __init__(self, function: Callable[..., Any], where: str, limit: int) -> None:
        self._what = f"{where} result"
        self._limit = limit
        self._typed = _typed(function, self._what)

    def encode(self, value: Any) -> str:
        """Return the result as JSON text; raises ``InvalidPayload``."""
        if value is None:
            return "null"
        if self._typed is not None:
            return self._typed.encode(value, limit=self._limit)
        return encode_any(value, self._what, limit=self._limit)

    def decode(self, text: str) -> Any:
        """Return a stored result."""
        if self._typed is None or text == "null":
            return msgspec.json.decode(text)
        return self._typed.decode(text)


_CONTROLS = get_args(Control)


def _typed(function: Callable[..., Any], what: str) -> Payload | None:
    """Return the codec of the return annotation, less what steers the job; ``None`` if untyped."""
    try:
        hint = get_type_hints(function, include_extras=True).get("return", Any)
        if get_origin(hint) in (Union, types.UnionType):
            rest = [part for part in get_args(hint) if part not in _CONTROLS]
            hint = Union[tuple(rest)] if rest else Any  # noqa: UP007 - built at run time
        return None if hint is Any or hint in _CONTROLS else Payload.of_result(hint, what)
    except (ConfigError, NameError, TypeError):
        return None
