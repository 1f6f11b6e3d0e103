"""What can go wrong with a server, in Stoker's words."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager

from redis import exceptions as redis

from stoker.config import BrokerURL
from stoker.errors import (
    BrokerCorrupt,
    BrokerError,
    BrokerFull,
    BrokerUnavailable,
    ConfigError,
    StokerError,
)

CLIENT_FAULTS = (redis.RedisError, redis.RedisClusterException, OSError, TimeoutError)
"""What the client raises where a server is away, or answers with an error."""

CLOSED = "Connection closed by server."
"""What the client says where the other side hangs up."""

# The beginning of what a server answers while it cannot serve, but will again.
_WEATHER = (
    "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "MISCONF", "NOREPLICAS",
    "UNBLOCKED", "MOVED", "ASK",
)  # fmt: skip
# The client takes that word off, where it has a class for it.
_WEATHER_TYPES = (
    redis.ReadOnlyError, redis.BusyLoadingError, redis.MasterDownError, redis.ClusterDownError,
    redis.ClusterError, redis.TryAgainError,
)  # fmt: skip
_UNREACHABLE = (
    redis.ConnectionError, redis.TimeoutError, redis.RedisClusterException, OSError,
)  # fmt: skip
_LOGIN = ("NOAUTH", "WRONGPASS")
# A command on its own, and inside a script; before version 7 a script's error does not name it.
_NO_COMMAND = re.compile(r"no permissions to run the '([^']+)'|can't run this command")
_NO_KEY = re.compile(
    r"no permissions to access|can't access at least one of the keys", re.IGNORECASE
)
# Of one address that was tried, and of each of several.
_NUMBER = re.compile(r"(?:\bError |\[Errno )(-?\d+)\b")
# What a client says who asked all Sentinels; behind it, how it went with each that did not answer.
_NO_PRIMARY = re.compile(r"No master found for '(?P<name>[^']*)'(?P<errors>.*)", re.DOTALL)
_A_SENTINEL = "client.Redis("
_NO_SENTINEL = re.compile(r"unknown command .?SENTINEL", re.IGNORECASE)
_NO_CERTIFICATE = re.compile(r"\[(?:X509|PEM)\b|\[SSL\] PEM")


@contextmanager
def in_our_words(url: BrokerURL) -> Generator[None]:
    """Raise what the client raises as an error of Stoker's."""
    try:
        yield
    except CLIENT_FAULTS as error:
        raise translated(error, url) from error


def translated(error: Exception, url: BrokerURL) -> StokerError:
    """Return the error of Stoker's for one of the client's or of the network's."""
    text = str(error)
    if refused := _without_rights(text, url) or _not_let_in(error, text, url):
        return refused
    if isinstance(error, redis.OutOfMemoryError) or _says(text, ("OOM",)):
        return BrokerFull(
            f"{url} is out of memory: nothing was added",
            hint="raise maxmemory, or keep fewer finished jobs (keep_completed, keep_failed)",
        )
    if isinstance(error, _WEATHER_TYPES) or _says(text, _WEATHER):
        return _weather(error, text, url)
    if _says(text, ("WRONGTYPE",)):
        return BrokerCorrupt(
            f"{url} has a key of another type where a queue of ours would be: {text}",
            hint="another application may use the same prefix: set one of your own, ?prefix=…",
        )
    if (found := _NO_PRIMARY.match(text)) and url.server is not None:
        return _no_primary(found["name"], found["errors"].count(_A_SENTINEL), url)
    if isinstance(error, _UNREACHABLE):
        return BrokerUnavailable(
            f"{url.described} cannot be reached: {_once(text) or type(error).__name__}",
            hint=_where_to_look(text, url),
        )
    if _NO_SENTINEL.search(text):
        return BrokerUnavailable(
            f"{url}: what answers there is no Sentinel",
            hint="most listen at port 26379; for a server without one: redis://host:6379/0",
        )
    return BrokerError(f"{url} answered: {text}")


def _weather(error: Exception, text: str, url: BrokerURL) -> BrokerUnavailable:
    if is_of_a_replica(error):
        return BrokerUnavailable(
            f"{url} is a replica, and read only: nothing can be added or run there",
            hint="name the primary in the URL, or its Sentinels; during a fail-over, try again",
        )
    return BrokerUnavailable(f"{url} takes no commands for now: {text}", hint="try again")


def _no_primary(name: str, silent: int, url: BrokerURL) -> BrokerUnavailable:
    sentinels = len(url.server.hosts) if url.server else 0
    if silent >= sentinels:
        none = "its Sentinel does not answer" if sentinels == 1 else "none of its Sentinels answers"
        return BrokerUnavailable(
            f"{url.described}: {none}",
            hint="are they running, and are hosts and ports right?",
        )
    unasked = f" ({silent} of {sentinels} do not answer)" if silent else ""
    return BrokerUnavailable(
        f"{url.described}: its Sentinels know no primary {name!r} that is up{unasked}",
        hint="the URL is redis+sentinel://host,host/NAME/0: SENTINEL MASTERS lists the names",
    )


def is_of_a_replica(error: Exception) -> bool:
    """Whether a server answers that it may not be written to: another is the primary."""
    return isinstance(error, redis.ReadOnlyError) or _says(str(error), ("READONLY",))


def is_forbidden(error: object) -> bool:
    """Whether a server answers that this user may never do it, or that it does not know how."""
    return isinstance(error, redis.NoPermissionError) or (
        isinstance(error, redis.ResponseError) and str(error).lower().startswith("unknown ")
    )


def _without_rights(text: str, url: BrokerURL) -> ConfigError | None:
    if found := _NO_COMMAND.search(text):
        command = found[1]
        if command is None:
            return may_not(url, "run what a script of Stoker's calls", "+…")
        return may_not(url, f"run {command.upper()}", f"+{command.lower()}")
    if _NO_KEY.search(text):
        prefix = url.server.prefix if url.server else "bull"
        return may_not(url, f"use a key that begins with {prefix}:", f"~{prefix}:*")
    return None


def may_not(url: BrokerURL, do: str, grant: str) -> ConfigError:
    """Return the error for a user who may not do something, with what to grant."""
    user = (url.server and url.server.user) or "default"
    return ConfigError(
        f"{url}: the server's user {user!r} may not {do}",
        hint=f"ACL SETUSER {user} {grant}; the guide has the whole rule: Users and their rights",
    )


def _not_let_in(error: Exception, text: str, url: BrokerURL) -> ConfigError | None:
    if isinstance(error, redis.AuthenticationError) or _says(text, _LOGIN):
        if url.server is not None and not url.server.password:
            return ConfigError(
                f"{url} asks for a password, and the URL has none",
                hint="redis://:password@host:6379/0, or redis://user:password@…",
            )
        return ConfigError(
            f"{url} does not let us in: {text}", hint="check the user and password in the URL"
        )
    if "DB index is out of range" in text:
        return ConfigError(f"{url} has no database of that number", hint="most have 0 to 15")
    if _NO_CERTIFICATE.search(text):
        return ConfigError(
            f"{url}: a file that the URL names holds no certificate or key: {text}",
            hint="ssl_ca_certs, ssl_certfile and ssl_keyfile are files in the PEM format",
        )
    return None


def _once(text: str) -> str:
    """Return why there is no connection, without the address: the client repeats it."""
    if (at := text.find("[SSL")) >= 0:
        return text[at:]  # the number before it is not the system's
    numbers = [int(number) for number in _NUMBER.findall(text)]
    if not numbers:
        return text
    return " and ".join(dict.fromkeys(_in_words(number, text) for number in numbers))


def _in_words(number: int, text: str) -> str:
    # What is below zero is of the resolver's own, whose words only the client's text has.
    said = os.strerror(number) if number > 0 else text.rpartition(". ")[2].rstrip(".")
    return said[:1].lower() + said[1:]


def _where_to_look(text: str, url: BrokerURL) -> str:
    numbers = {int(number) for number in _NUMBER.findall(text)}
    if numbers & {errno.ECONNREFUSED, errno.ENOENT}:
        return "nothing listens there: start the server, or correct the address in the URL"
    if any(number < 0 for number in numbers):
        return "correct the host's name in the URL"
    if "mismatch, certificate" in text:
        return "the host in the URL has to be one that the server's certificate is for"
    if "certificate verify failed" in text:
        return "?ssl_ca_certs=… has to name a file with the authority that signed its certificate"
    if "Cluster mode is not enabled" in text:
        return "redis:// is for one server; in a cluster its user needs +cluster|slots +command"
    if url.scheme.startswith("rediss"):
        return "is the server running, does it speak TLS, and are host and port right?"
    if CLOSED in text:
        return "is the server running? If it speaks TLS, the URL begins with rediss://"
    return "is the server running, and are host and port right?"


def _says(text: str, words: tuple[str, ...]) -> bool:
    # An error inside a script of a server before version 7 comes with the script's place before it.
    return text.startswith(words) or any(f" -{word} " in f"{text} " for word in words)
