"""Where the jobs are that a command is about: an application's own, or just a broker's URL."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from click.core import ParameterSource

from stoker.app import Stoker
from stoker.broker.base import Detail
from stoker.cli.loading import load
from stoker.config import MEMORY, BrokerURL, broker_url
from stoker.errors import ConfigError, JobNotFound

T = TypeVar("T")


class AmbiguousId(ConfigError):
    """Several queues have a job with the id that was given."""


class Target(msgspec.Struct, frozen=True):
    """What ``--app`` and ``--url`` said."""

    app: str | None
    url: str | None

    def open(self) -> Stoker:
        """Return the application, or one without tasks on the URL. Raises ``ConfigError``."""
        if self.app is not None and self.url is not None:
            source = click.get_current_context().get_parameter_source("app")
            if source is ParameterSource.COMMANDLINE:
                raise click.UsageError("Give either --app or --url: an app knows its URL.")
        if self.app is not None and self.url is None:
            app = load(self.app)
            refuse_memory(app.url)
            return app
        url = broker_url(self.url)
        refuse_memory(url)
        _refuse_missing_file(url)
        return Stoker(self.url)


def refuse_memory(url: BrokerURL) -> None:
    """Another process's memory cannot be looked into."""
    if url.path == MEMORY:
        raise ConfigError(
            f"{url.described} is the memory of one process: no other process sees its jobs",
            hint="keep them in a file: sqlite:///stoker.db",
        )


def _refuse_missing_file(url: BrokerURL) -> None:
    """Opening it would create it, and a mistyped path would look like an empty queue."""
    if url.scheme == "sqlite" and not Path(url.path).exists():
        source = f" (from {url.source})" if url.source else ""
        raise ConfigError(
            f"there is no file {url.path}{source}",
            hint="--url or STOKER_URL says where the jobs are; --app uses the application's own",
        )


def operate(app: Stoker, work: Callable[[Stoker], Awaitable[T]]) -> T:
    """Open the app's broker, do ``work`` with it and close it."""

    async def session() -> T:
        async with app:
            return await work(app)

    return asyncio.run(session())


async def chosen_queues(app: Stoker, names: Sequence[str]) -> list[str]:
    """Return ``names``, or all queues if none is named. Raises ``ConfigError`` for an unknown."""
    known = [queue.name for queue in await app.queues()]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise ConfigError(
                f"there is no queue {name!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"there is: {_listed(known)}",
            )
    return list(names) or known


async def find_job(app: Stoker, id: str, queues: Sequence[str]) -> Detail:
    """Return the one job with this id. Raises ``JobNotFound``, or ``AmbiguousId``."""
    broker = await app.client.broker()
    names = await chosen_queues(app, queues)
    found = [detail for name in names if (detail := await broker.detail(name, id)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(detail.job.queue for detail in found)
        raise AmbiguousId(
            f"several queues have a job {id}: {listed}", hint="say which one: --queue NAME"
        )
    raise JobNotFound(
        f"there is no job {id} in {_place(names)}",
        hint="it was removed, or its retention has passed; stoker job ls shows what there is",
    )


def _place(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"queue {names[0]!r}"
    return f"the {len(names)} queues" if names else "this store: it has no queues yet"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none yet"
