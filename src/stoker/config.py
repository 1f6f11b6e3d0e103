"""Settings, one small frozen type per component, and where they come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from stoker.errors import ConfigError
from stoker.job.retry import DEFAULT_MAX_STALLS

DEFAULT_URL = "sqlite:///stoker.db"
MEMORY = ":memory:"

# Up to the last @, whatever is between: a password that is not quoted may hold any character.
_PASSWORD = re.compile(r"^((?:[^:/@]*://)?[^:/@]*):(?!//).*@", re.DOTALL)


_REDIS = re.compile(r"^(?:redis|rediss)(?:\+sentinel|\+cluster)?$|^unix$")
"""The schemes that a Redis server is reached by; see ``BrokerURL.parse``."""
_DEFAULT_PORTS = {"redis+sentinel": 26379, "rediss+sentinel": 26379}


class BrokerURL(msgspec.Struct, frozen=True):
    """Where jobs are kept. Printing it never shows the password."""

    text: str
    scheme: str
    path: str = ""
    """For SQLite: the file's path, or ``:memory:``."""
    source: str = ""
    """The environment variable it is from, if it is from one."""
    hosts: tuple[tuple[str, int], ...] = ()
    """For Redis: host and port of the server, of the sentinels, or of some of a cluster."""
    service: str = ""
    """For Redis behind sentinels: what they call the primary."""
    prefix: str = ""
    """For Redis: what the names of all keys begin with."""

    @property
    def is_redis(self) -> bool:
        """Whether it names a Redis or Valkey server."""
        return _REDIS.match(self.scheme) is not None

    @classmethod
    def parse(cls, text: str, source: str = "") -> Self:
        """Read a URL, such as ``sqlite:///relative.db``, ``sqlite:////absolute.db``.

        ``sqlite://:memory:`` is gone with the process. Redis and Valkey: ``redis://host:6379/0``
        (``rediss`` for TLS), ``unix:///path/to/socket?db=0``, ``redis+sentinel://host,host/name/0``,
        ``redis+cluster://host,host``; each may have ``user:password@`` and ``?prefix=bull``.
        Raises ``ConfigError``.
        """
        scheme, separator, rest = text.partition("://")
        if not separator:
            raise ConfigError(
                f"broker URL {_shown(text)!r} has no scheme", hint=f"for example {DEFAULT_URL}"
            )
        if _REDIS.match(scheme):
            return cls(text, scheme, source=source, **_redis_parts(text, scheme))
        if scheme != "sqlite":
            return cls(text, scheme, source=source)
        if rest in (MEMORY, f"/{MEMORY}"):
            return cls(text, scheme, MEMORY, source)
        if not rest.startswith("/") or rest == "/":
            raise ConfigError(
                f"broker URL {_shown(text)!r} names no file",
                hint="sqlite:///jobs.db is a relative path, sqlite:////data/jobs.db an absolute",
            )
        return cls(text, scheme, unquote(rest[1:]), source)

    @classmethod
    def of_file(cls, path: PurePath) -> Self:
        """Return the URL of a SQLite file."""
        return cls.parse(f"sqlite:///{quote(str(path))}")

    def __str__(self) -> str:
        return _shown(self.text)

    def __repr__(self) -> str:
        return f"BrokerURL({str(self)!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("text", str(self))]


def _redis_parts(text: str, scheme: str) -> dict[str, Any]:
    """Return what a Redis URL says, or raise ``ConfigError``."""
    hint = {
        "unix": "for example unix:///run/redis.sock?db=0",
        "redis+sentinel": "for example redis+sentinel://host1:26379,host2:26379/mymaster/0",
        "redis+cluster": "for example redis+cluster://host1:6379,host2:6379",
    }.get(scheme.replace("rediss", "redis"), "for example redis://:password@host:6379/0")
    _, _, rest = text.partition("://")
    place, _, query = rest.partition("?")
    prefix = dict(parse_qsl(query)).get("prefix", "")
    is_cluster = scheme.endswith("+cluster")
    if scheme == "unix":
        return {"prefix": prefix or "bull"}
    where, _, path = place.rpartition("@")[2].partition("/")
    default_port = _DEFAULT_PORTS.get(scheme, 6379)
    try:
        hosts = tuple(_host(part, default_port) for part in where.split(","))
        parts = path.split("/") if path else []
        service = parts.pop(0) if scheme.endswith("+sentinel") and parts else ""
        database = int(parts.pop(0)) if parts and parts[0] else 0
    except ValueError:
        raise ConfigError(f"broker URL {_shown(text)!r} cannot be read", hint=hint) from None
    if parts or database < 0 or (scheme.endswith("+sentinel") and not service):
        raise ConfigError(f"broker URL {_shown(text)!r} cannot be read", hint=hint)
    if is_cluster and (database or (prefix and not re.search(r"\{[^}]+\}", prefix))):
        raise ConfigError(
            f"broker URL {_shown(text)!r} cannot work in a cluster",
            hint="a cluster has database 0 only, and a prefix needs a hash tag: ?prefix={bull}",
        )
    return {
        "hosts": hosts,
        "service": service,
        "prefix": prefix or ("{bull}" if is_cluster else "bull"),
    }


def _host(part: str, default_port: int) -> tuple[str, int]:
    """Return host and port of ``host:port``, ``host`` or ``[::1]:port``."""
    host, bracket, port = part.rpartition("]") if "]" in part else part.partition(":")
    if bracket == "]":
        host, port = host.removeprefix("["), port.removeprefix(":")
    return unquote(host) or "localhost", int(port) if port else default_port


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
    """How often expired leases are looked for."""
