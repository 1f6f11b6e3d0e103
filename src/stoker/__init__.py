"""Background work for any app: run, schedule and ship jobs, from a SQLite file to Redis.

What a name stands for is imported when it is first asked for: a command that only looks at a
project, or a process that only runs a task, is not to carry the worker and its broker along.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from stoker.app import Stoker
    from stoker.config import WorkerSettings
    from stoker.context import JobContext, current_job
    from stoker.errors import (
        BrokerError,
        BrokerFull,
        BrokerUnavailable,
        ConfigError,
        InvalidPayload,
        JobFailed,
        JobNotFound,
        JobTimeout,
        StokerError,
        UnknownTask,
        Unrecoverable,
    )
    from stoker.failure import Failure
    from stoker.job.model import Backoff, Dedup, JobRecord, Keep
    from stoker.job.outcome import Cancel, Retry, Snooze
    from stoker.job.states import State
    from stoker.processor import Processor
    from stoker.queue import Filter, Job, Queue
    from stoker.task import Task

__all__ = [
    "Backoff",
    "BrokerError",
    "BrokerFull",
    "BrokerUnavailable",
    "Cancel",
    "ConfigError",
    "Dedup",
    "Failure",
    "Filter",
    "InvalidPayload",
    "Job",
    "JobContext",
    "JobFailed",
    "JobNotFound",
    "JobRecord",
    "JobTimeout",
    "Keep",
    "Processor",
    "Queue",
    "Retry",
    "Snooze",
    "State",
    "Stoker",
    "StokerError",
    "Task",
    "UnknownTask",
    "Unrecoverable",
    "WorkerSettings",
    "current_job",
]

_HOMES = {
    "app": ("Stoker",),
    "config": ("WorkerSettings",),
    "context": ("JobContext", "current_job"),
    "errors": (
        "BrokerError", "BrokerFull", "BrokerUnavailable", "ConfigError", "InvalidPayload",
        "JobFailed", "JobNotFound", "JobTimeout", "StokerError", "UnknownTask", "Unrecoverable",
    ),
    "failure": ("Failure",),
    "job.model": ("Backoff", "Dedup", "JobRecord", "Keep"),
    "job.outcome": ("Cancel", "Retry", "Snooze"),
    "job.states": ("State",),
    "processor": ("Processor",),
    "queue": ("Filter", "Job", "Queue"),
    "task": ("Task",),
}  # fmt: skip
"""The modules that the names are of."""


def __getattr__(name: str) -> typing.Any:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(importlib.import_module(f"stoker.{home}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
