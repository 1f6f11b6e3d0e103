"""What can go wrong with a server, in Stoker's words."""

from __future__ import annotations

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
_LOGIN = ("NOAUTH", "WRONGPASS", "NOPERM")


@contextmanager
def in_our_words(url: BrokerURL) -> Generator[None]:
    """Raise what the client raises as an error of Stoker's."""
    try:
        yield
    except (redis.RedisError, OSError, TimeoutError) as error:
        raise translated(error, url) from error


def translated(error: Exception, url: BrokerURL) -> StokerError:
    """Return the error of Stoker's for one of the client's or of the network's."""
    text = str(error)
    if isinstance(error, redis.AuthenticationError | redis.NoPermissionError) or _says(
        text, _LOGIN
    ):
        return ConfigError(
            f"{url} does not let us in: {text}", hint="check the user and password in the URL"
        )
    if isinstance(error, redis.OutOfMemoryError) or _says(text, ("OOM",)):
        return BrokerFull(
            f"{url} is out of memory: nothing was added",
            hint="raise maxmemory, or keep fewer finished jobs (keep_completed, keep_failed)",
        )
    if isinstance(error, _WEATHER_TYPES) or _says(text, _WEATHER):
        return BrokerUnavailable(f"{url} takes no commands for now: {text}", hint="try again")
    if _says(text, ("WRONGTYPE",)):
        return BrokerCorrupt(
            f"{url} has a key of another type where a queue of ours would be: {text}",
            hint="another application may use the same prefix: set one of your own, ?prefix=…",
        )
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | OSError):
        return BrokerUnavailable(
            f"{url} cannot be reached: {text or type(error).__name__}",
            hint="is the server running, and are host and port right?",
        )
    return BrokerError(f"{url} answered: {text}")


def _says(text: str, words: tuple[str, ...]) -> bool:
    # An error inside a script of a server before version 7 comes with the script's place before it.
    return text.startswith(words) or any(f" -{word} " in f"{text} " for word in words)
