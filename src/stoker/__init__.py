"""Background work for any app: run, schedule and ship jobs, from a SQLite file to Redis."""

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
from stoker.job.model import Backoff, Dedup, Failure, JobRecord, Keep
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
