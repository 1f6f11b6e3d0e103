"""Every error Stoker raises on purpose.

    StokerError
    ├── ConfigError            a setting, URL or option that cannot work
    ├── LoopRunning            a synchronous method was called where an event loop runs
    ├── InvalidJob             refused at enqueue, before anything is written
    │   ├── InvalidPayload     the arguments are not what the task takes, or not JSON
    │   └── UnknownTask        no task of that name is registered
    ├── BrokerError            the store could not do what was asked
    │   ├── BrokerFull         no space or memory left to write
    │   ├── BrokerUnavailable  locked, unreachable or closed; trying again may work
    │   └── BrokerCorrupt      the stored data is damaged or of a newer version
    └── JobError               what waiting for a job can raise
        ├── JobFailed          it ended as a dead letter; carries its failure
        ├── JobNotFound        no such job (any more)
        └── JobTimeout         it did not end within the time the caller gave

Raised *by* a handler, to steer its own job, and therefore beside this tree: ``Unrecoverable``.
"""

from __future__ import annotations

from stoker.failure import Failure

_MOST_SHOWN = 100
"""Characters of a refused value that an error repeats."""


def shown(value: object) -> str:
    """Return a refused value as an error names it: its ``repr``, cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # anybody's code; and an int of 5,000 digits has none
        return f"({type(value).__name__})"
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_SHOWN]}… ({len(text):,} characters)"


class StokerError(Exception):
    """The base of every error that Stoker raises on purpose.

    ``hint`` says what to do about it; the command line prints it on a line of its own.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(StokerError):
    """A setting, URL or option that cannot work, named with where it came from."""


class LoopRunning(StokerError, RuntimeError):
    """A synchronous method was called inside an event loop, which it would block."""


class InvalidJob(StokerError):
    """A job that was refused at enqueue; nothing was written."""


class InvalidPayload(InvalidJob):
    """The arguments do not fit the task, are not JSON, or are too large.

    ``path`` names the argument, for example ``recipients[3].email``.
    """

    def __init__(self, message: str, *, path: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


class UnknownTask(InvalidJob):
    """No task of that name is registered with this app."""


class BrokerError(StokerError):
    """The store could not do what was asked."""


class BrokerFull(BrokerError):
    """The store has no space left to write. Nothing acknowledged before is affected."""


class BrokerUnavailable(BrokerError):
    """The store is locked, unreachable or closed; trying again may work."""


class BrokerCorrupt(BrokerError):
    """The stored data is damaged, or was written by a newer version of Stoker."""


class JobError(StokerError):
    """What waiting for a job can raise."""


class JobFailed(JobError):
    """The job ended as a dead letter (or was cancelled); ``failure`` says why."""

    def __init__(self, queue: str, id: str, failure: Failure) -> None:
        super().__init__(f"job {id} of queue {queue!r} failed: {failure}")
        self.queue = queue
        self.id = id
        self.failure = failure


class JobNotFound(JobError):
    """There is no such job: it never was, was removed, or its retention has passed."""


class JobTimeout(JobError, TimeoutError):
    """The job did not end within the time the caller was ready to wait; it goes on."""


class Unrecoverable(Exception):
    """Raise this in a handler to fail the job now, whatever attempts are left."""


def missing(what: str, package: str, extra: str) -> ConfigError:
    """Return the error for ``what`` needs a package of one of Stoker's extras."""
    return ConfigError(
        f"{what} needs the package {package}, which is not installed",
        hint=f"pip install 'stoker[{extra}]', or in a clone of Stoker: pip install '.[{extra}]'",
    )


def unfit(what: str, package: str, extra: str, why: str) -> ConfigError:
    """Return the error for ``what`` needs another version of an extra's package."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and needed just here

    try:
        installed = f"{package} {version(package)}"
    except PackageNotFoundError:
        installed = package
    return ConfigError(
        f"{what} needs another version of {package} than the {installed} that is installed: {why}",
        hint=f"pip install --upgrade 'stoker[{extra}]'",
    )
