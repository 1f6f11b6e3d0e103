"""What a handler may know and say about the job it runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar

from stoker.errors import StokerError
from stoker.job.model import JobRecord
from stoker.job.outcome import text_of
from stoker.job.payload import encode_any

T = TypeVar("T")


class Reporter(Protocol):
    """Takes what a handler reports while it runs, from any thread, without waiting."""

    def progress(self, job: JobRecord, value: str) -> None:
        """``value`` is JSON text; only the latest is kept."""
        ...

    def log(self, job: JobRecord, line: str) -> None:
        """Append a line to the job's log."""
        ...


class JobContext(Generic[T]):
    """The job that is being run: for ``Processor.process``, or from ``current_job()``."""

    __slots__ = ("_record", "_reporter", "cancelled", "data", "max_attempts")

    def __init__(self, record: JobRecord, data: T, max_attempts: int, reporter: Reporter) -> None:
        self._record = record
        self._reporter = reporter
        self.data = data
        """The payload: of a ``Processor`` its typed value, of a task its arguments by name."""
        self.max_attempts = max_attempts
        """Runs at the most, the first included."""
        self.cancelled = False
        """The result is no longer wanted: cancelled, timed out, lost, or the worker stops.

        An ``async`` handler is also interrupted (``CancelledError``); code in a thread or a child
        process should look here from time to time.
        """

    @property
    def id(self) -> str:
        """The job's id."""
        return self._record.id

    @property
    def queue(self) -> str:
        """The queue it came from."""
        return self._record.queue

    @property
    def name(self) -> str:
        """The task's name."""
        return self._record.name

    @property
    def attempt(self) -> int:
        """Which attempt this is: 1 for the first."""
        return self._record.attempts + 1

    @property
    def record(self) -> JobRecord:
        """The job as it was when it was claimed."""
        return self._record

    def progress(self, value: Any) -> None:
        """Report progress: 0 to 1, or anything JSON. Returns at once; the latest value is kept."""
        self.report_progress(encode_any(value, "progress"))

    def report_progress(self, text: str) -> None:
        """``progress`` for what is JSON text already."""
        self._reporter.progress(self._record, text)

    def log(self, line: str) -> None:
        """Append a line to the job's own log. Returns at once."""
        self._reporter.log(self._record, text_of(line))


running: ContextVar[JobContext[Any]] = ContextVar("stoker_job")
"""Set by the executors around a handler."""


def current_job() -> JobContext[Any]:
    """Return the job that the calling code is run by.

    Raises ``StokerError`` outside of one.
    """
    try:
        return running.get()
    except LookupError:
        raise StokerError(
            "there is no current job",
            hint="current_job() works in a handler, and in what it calls, while a worker runs it",
        ) from None
