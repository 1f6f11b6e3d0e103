"""Settings, one small frozen type per component, and where they come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Self
from urllib.parse import quote, unquote

import msgspec

from stoker.errors import ConfigError
from stoker.job.retry import DEFAULT_MAX_STALLS

DEFAULT_URL = "sqlite:///stoker.db"
MEMORY = ":memory:"

# Up to the last @, whatever is between: a password that is not quoted may hold any character.
_PASSWORD = re.compile(r"^((?:[^:/@]*://)?[^:/@]*):(?!//).*@", re.DOTALL)


class BrokerURL(msgspec.Struct, frozen=True):
    """Where jobs are kept. Printing it never shows the password."""

    text: str
    scheme: str
    path: str = ""
    """For SQLite: the file's path, or ``:memory:``."""
    source: str = ""
    """The environment variable it is from, if it is from one."""

    @classmethod
    def parse(cls, text: str, source: str = "") -> Self:
        """Read a URL, such as ``sqlite:///relative.db``, ``sqlite:////absolute.db``.

        ``sqlite://:memory:`` is gone with the process. Raises ``ConfigError``.
        """
        scheme, separator, rest = text.partition("://")
        if not separator:
            raise ConfigError(
                f"broker URL {_shown(text)!r}{_from(source)} has no scheme",
                hint=f"for example {DEFAULT_URL}",
            )
        if scheme != "sqlite":
            return cls(text, scheme, source=source)
        if rest in (MEMORY, f"/{MEMORY}"):
            return cls(text, scheme, MEMORY, source)
        if not rest.startswith("/") or rest == "/":
            raise ConfigError(
                f"broker URL {_shown(text)!r}{_from(source)} names no file",
                hint="sqlite:///jobs.db is a relative path, sqlite:////data/jobs.db an absolute",
            )
        return cls(text, scheme, unquote(rest[1:]), source)

    @classmethod
    def of_file(cls, path: PurePath) -> Self:
        """Return the URL of a SQLite file."""
        return cls.parse(f"sqlite:///{quote(str(path))}")

    @property
    def described(self) -> str:
        """The URL and who says it: ``sqlite:///jobs.db (from STOKER_URL)``."""
        return f"{self}{_from(self.source)}"

    def __str__(self) -> str:
        return _shown(self.text)

    def __repr__(self) -> str:
        return f"BrokerURL({str(self)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("text", str(self))]


def _from(source: str) -> str:
    return f" (from {source})" if source else ""


def _shown(url: str) -> str:
    """Return the URL without its password."""
    return _PASSWORD.sub(r"\1:***@", url)


def broker_url(
    given: str | None = None,
    env: Mapping[str, str] = os.environ,
    *,
    default: str = DEFAULT_URL,
) -> BrokerURL:
    """Return the broker's URL: as given, else from the environment, else ``default``.

    The environment is asked for ``STOKER_URL``, then ``REDIS_URL``, then ``REDIS_HOST`` with
    ``REDIS_PORT`` and ``REDIS_PASSWORD``.
    """
    if given is not None:
        return BrokerURL.parse(given)
    for variable in ("STOKER_URL", "REDIS_URL"):
        if text := env.get(variable):
            return BrokerURL.parse(text, variable)
    if host := env.get("REDIS_HOST"):
        password = env.get("REDIS_PASSWORD", "")
        login = f":{quote(password, safe='')}@" if password else ""
        return BrokerURL.parse(
            f"redis://{login}{host}:{env.get('REDIS_PORT') or 6379}/0", "REDIS_HOST"
        )
    return BrokerURL.parse(default)


class WorkerSettings(msgspec.Struct, frozen=True):
    """How a worker runs. Times are in milliseconds."""

    name: str = ""
    """Shown to people; by default the host and the process id."""
    queues: tuple[str, ...] = ()
    """Empty: every queue a task is registered on."""
    concurrency: int = 10
    """Jobs at once, in all."""
    processes: int = 0
    """Child processes for ``run_in="process"`` tasks; 0: one per core."""
    burst: bool = False
    """Stop when there is nothing left to do, instead of waiting for more."""
    lease_ms: int = 30_000
    """How long a job stays ours without renewal: the time after which a dead worker's job is
    taken back."""
    grace_ms: int = 30_000
    """How long running jobs may go on after a stop was asked for."""
    max_stalls: int = DEFAULT_MAX_STALLS
    """Crashes after which a job may still run again."""
    recover_ms: int = 5_000
    """How often the jobs of dead workers are taken back: a lease and 1.2 times this after the last
    renewal, at the latest."""
