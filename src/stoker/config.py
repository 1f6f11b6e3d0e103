"""Settings, one small frozen type per component, and where they come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from stoker.errors import ConfigError
from stoker.job.retry import DEFAULT_MAX_STALLS
from stoker.job.settings import unknown

DEFAULT_URL = "sqlite:///stoker.db"
MEMORY = ":memory:"

# Up to the last @, whatever is between: a password that is not quoted may hold any character.
_PASSWORD = re.compile(r"^((?:[^:/@]*://)?[^:/@]*):(?!//).*@", re.DOTALL)
_PASSWORD_OPTION = re.compile(r"([?&][^=&]*password=)[^&]*", re.IGNORECASE)

_SERVER = re.compile(r"^(?:redis|rediss)(?:\+sentinel|\+cluster)?$|^unix$")
_SERVER_EXAMPLES = {
    "unix": "unix:///run/redis.sock?db=0",
    "redis+sentinel": "redis+sentinel://host1:26379,host2:26379/mymaster/0",
    "redis+cluster": "redis+cluster://host1:6379,host2:6379",
}


class ServerAddress(msgspec.Struct, frozen=True):
    """How a Redis or Valkey server is reached."""

    hosts: tuple[tuple[str, int], ...] = ()
    """Host and port of the server, of its sentinels, or of some of its cluster."""
    service: str = ""
    """What the sentinels call the primary."""
    socket: str = ""
    """The path of a Unix socket, instead of hosts."""
    database: int = 0
    user: str = ""
    password: str = ""
    prefix: str = "bull"
    """What the names of all keys begin with."""
    options: tuple[tuple[str, str], ...] = ()
    """What else the URL says, such as ``ssl_ca_certs``."""

    def __repr__(self) -> str:
        return f"ServerAddress({self.hosts or self.socket!r})"


class BrokerURL(msgspec.Struct, frozen=True):
    """Where jobs are kept. Printing it never shows the password."""

    text: str
    scheme: str
    path: str = ""
    """For SQLite: the file's absolute path, or ``:memory:``."""
    source: str = ""
    """The environment variable it is from, if it is from one."""
    server: ServerAddress | None = None
    """For Redis and Valkey."""

    @classmethod
    def parse(cls, text: str, source: str = "") -> Self:
        """Read a URL, such as ``sqlite:///relative.db``, ``sqlite:////absolute.db``.

        A relative path starts where the process is now, and stays there: whoever calls
        ``os.chdir`` later does not move the jobs.

        ``sqlite://:memory:`` is gone with the process. Redis and Valkey: ``redis://host:6379/0``
        (``rediss`` for TLS), ``unix:///path/to/socket?db=0``, ``redis+sentinel://host,host/name/0``,
        ``redis+cluster://host,host``; each may have ``user:password@`` and ``?prefix=bull``.
        Raises ``ConfigError``.
        """
        scheme, separator, rest = text.partition("://")
        if not separator:
            raise ConfigError(
                f"broker URL {_shown(text)!r}{_from(source)} has no scheme",
                hint=_with_scheme(_shown(text)),
            )
        if _SERVER.match(scheme):
            return cls(
                text,
                scheme,
                source=source,
                server=_server_address(scheme, rest, f"{_shown(text)!r}{_from(source)}"),
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
        return cls(text, scheme, _absolute(unquote(rest[1:]), text, source), source)

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


def _absolute(path: str, url: str, source: str) -> str:
    try:
        return str(Path.cwd() / path)
    except FileNotFoundError:
        if path.startswith("/"):
            return path
        raise ConfigError(
            f"broker URL {_shown(url)!r}{_from(source)} is relative to a folder that was deleted",
            hint="an absolute path has four slashes: sqlite:////data/jobs.db",
        ) from None


def _server_address(scheme: str, rest: str, shown: str) -> ServerAddress:
    """Return what a Redis URL says behind its scheme, or raise ``ConfigError`` with it as shown."""
    # Up to the last @, as in _PASSWORD.
    login, _, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    place, _, query = place.partition("?")
    options = dict(parse_qsl(query))
    prefix = options.pop("prefix", "{bull}" if scheme.endswith("+cluster") else "bull")
    where, _, path = place.partition("/")
    parts = [part for part in path.split("/") if part]
    try:
        if scheme == "unix":
            hosts, service, socket = (), "", f"/{path}"
            database = "0"
        else:
            default_port = 26379 if scheme.endswith("+sentinel") else 6379
            hosts = tuple(_host(part, default_port) for part in where.split(","))
            if scheme.endswith("+sentinel") and not parts:
                raise ValueError("it has to name what the sentinels watch")
            service = parts.pop(0) if scheme.endswith("+sentinel") else ""
            socket = ""
            database = parts.pop(0) if parts else "0"
        # As other clients of a URL have it: what is named as db counts.
        database = _number(options.pop("db", database), "database", 2**31)
        if parts and not socket:
            raise ValueError(f"nothing comes after the database, and here is {parts[0]!r}")
    except ValueError as error:
        example = _SERVER_EXAMPLES.get(scheme.replace("rediss", "redis"), "redis://host:6379/0")
        raise ConfigError(
            f"broker URL {shown} cannot be read: {error}", hint=f"for example {example}"
        ) from None
    if scheme.endswith("+cluster") and (database or not re.search(r"\{[^{}]+\}", prefix)):
        raise ConfigError(
            f"broker URL {shown} cannot work in a cluster",
            hint="there is only database 0, and a prefix needs a hash tag: ?prefix={bull}",
        )
    return ServerAddress(
        hosts, service, socket, database, unquote(user), unquote(password), prefix,
        tuple(options.items()),
    )  # fmt: skip


def _host(part: str, default_port: int) -> tuple[str, int]:
    """Return host and port of ``host:port``, ``host`` or ``[::1]:port``."""
    if part.startswith("["):
        host, _, port = part[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = part.partition(":")
    return unquote(host) or "localhost", _number(port, "port", 65_535) if port else default_port


def _number(text: str, what: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise ValueError(f"its {what} {text!r} is no number" + f" up to {most}" * (most < 2**31))
    return int(text)


def _with_scheme(shown: str) -> str:
    """Return what somebody may have meant who left out the scheme, or a part of it."""
    if found := re.match(r"(rediss?|sqlite):/*", shown):
        return f"for example {'redis://host:6379/0' if found[1] != 'sqlite' else DEFAULT_URL}"
    if re.fullmatch(r"(?:[^/@]*@)?[\w.-]+:\d{1,5}(/\d*)?", shown):
        return f"for Redis or Valkey: redis://{shown}"
    return f"for a file: {f'sqlite:///{shown}' if shown else DEFAULT_URL}"


def _from(source: str) -> str:
    return f" (from {source})" if source else ""


def _shown(url: str) -> str:
    """Return the URL without its passwords."""
    return _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


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


class _Checked(msgspec.StructMeta):
    """Refuses what a class has no field for in our words, with a guess at what was meant."""

    if not TYPE_CHECKING:  # to a type checker, the fields say what there is

        def __call__(self, *args: Any, **given: Any) -> Any:
            unknown(given, self, self.__name__)
            return super().__call__(*args, **given)


_LEAST = {
    "concurrency": 1,
    "processes": 0,
    "lease_ms": 100,
    "grace_ms": 0,
    "max_stalls": 0,
    "recover_ms": 50,
}


class WorkerSettings(msgspec.Struct, frozen=True, metaclass=_Checked):
    """How a worker runs. Times are in milliseconds. Raises ``ConfigError``."""

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
    """How long a job stays ours without renewal. A dead worker's job is taken back after that, and
    after up to 1.2 ``recover_ms``."""
    grace_ms: int = 30_000
    """How long running jobs may go on after a stop was asked for."""
    max_stalls: int = DEFAULT_MAX_STALLS
    """Crashes after which a job may still run again."""
    recover_ms: int = 5_000
    """How often the jobs of dead workers are taken back, 50 or more: a lease and 1.2 times this
    after the last renewal, at the latest."""

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                hint = "milliseconds: 5_000 is 5 s" if name.endswith("_ms") else None
                raise ConfigError(f"{name}={value!r} is not a whole number", hint=hint)
            if value < least:
                raise ConfigError(f"{name}={value} is not {least} or more")
        try:
            msgspec.convert(self.queues, tuple[str, ...])
        except msgspec.ValidationError:
            queues: Any = self.queues
            hint = f"({queues!r},)" if isinstance(queues, str) else "('mail', 'pictures')"
            raise ConfigError(f"queues={queues!r} is not a tuple of names", hint=hint) from None
