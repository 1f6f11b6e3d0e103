"""``stoker check``: whether an application would work, before it has to."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from stoker.app import Stoker
from stoker.broker.base import Patch, Want
from stoker.cli.loading import load
from stoker.cli.options import json_option
from stoker.cli.origins import problems as origin_problems
from stoker.cli.records import write_json
from stoker.config import MEMORY, BrokerURL
from stoker.errors import StokerError
from stoker.handler import Handler
from stoker.job.duration import describe
from stoker.job.model import Backoff, Keep
from stoker.job.retry import BUILT_IN, Policy, backoff_ms

LEAST_FREE = 100 * 1024 * 1024
USUAL_COUNT = Policy().keep_completed.count
"""Not shown: a bound that is no choice of anybody's."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that will not work, and where."""

    where: str
    problem: str
    hint: str | None = None


@click.command(
    short_help="Check an application before it has to work.",
    epilog="Example: stoker check shop.jobs:app, in CI before a deployment",
)
@click.argument("app", envvar="STOKER_APP", metavar="MODULE:APP")
@json_option
def check(app: str, as_json: bool) -> None:
    """Load the app, look at all tasks and at the broker; list every problem. Exits with 0 or 1."""
    handlers: Sequence[Handler] = ()
    warnings: Sequence[str] = ()
    loaded = None
    opened = False
    try:
        loaded = load(app)
    except StokerError as error:
        found = [Problem(app, error.message, error.hint)]
    else:
        handlers = loaded.registry.handlers()
        opened, problems, warnings = asyncio.run(_look_at_broker(loaded))
        found = [*_look_at_tasks(handlers), *problems]
    safe = durability(loaded.url) if loaded is not None and opened else None
    registry = None if loaded is None else loaded.registry
    advice = [] if registry is None else registry.advice(registry.queues())
    if as_json:
        answer = _object(loaded, safe, handlers, found)
        write_json(answer | {"warnings": warnings, "advice": advice})
    else:
        _show(loaded, safe, handlers, found, warnings, advice)
    if found:
        raise click.exceptions.Exit(1)


def _look_at_tasks(handlers: Sequence[Handler]) -> list[Problem]:
    if not handlers:
        return [Problem("tasks", "this app has no tasks", "put @app.task above a function")]
    found: list[Problem] = []
    children = [handler for handler in handlers if handler.run_in == "process"]
    for handler, problem in zip(children, origin_problems(children), strict=True):
        if problem:
            hint = "a child process finds a task by its module and name"
            found.append(Problem(handler.name, problem, hint))
    return found


async def _look_at_broker(app: Stoker) -> tuple[bool, list[Problem], Sequence[str]]:
    """Return whether it can be used, what is wrong, and what works but may cost jobs."""
    where = f"broker {app.url}"
    try:
        async with app:
            broker = await app.client.broker()
            warnings = broker.warnings()
            # Changes nothing, for there is no such job; but a transaction that writes is begun.
            await broker.update("stoker-check", "no-such-job", Patch(log=("",)))
            # Claims nothing; but a server says whether a worker may do what it has to.
            await broker.finish([], Want({"stoker-check": 0}, 0, "stoker check"))
    except StokerError as error:
        return False, [Problem(where, error.message, error.hint)], ()
    free = _free(app.url)
    if free is not None and free < LEAST_FREE:
        what = f"only {free // 1024**2} MiB are free on its disk"
        return True, [Problem(where, what, "make room")], warnings
    return True, [], warnings


def _free(url: BrokerURL) -> int | None:
    if url.scheme != "sqlite" or url.path == MEMORY:
        return None
    return shutil.disk_usage(Path(url.path).resolve().parent).free


def durability(url: BrokerURL) -> str:
    """Return what survives what."""
    if url.scheme != "sqlite":
        return "an acknowledged job is as safe as the server's settings for persistence make it"
    if url.path == MEMORY:
        return "nothing survives the end of the process: for tests"
    return "an acknowledged job survives a crash and a power cut (WAL, synchronous=FULL)"


def policy_row(handler: Handler) -> dict[str, str]:
    """Return what applies to a task's jobs unless they say otherwise, in words."""
    policy = handler.policy
    limit = policy.timeout_ms
    return {
        "task": handler.name,
        "queue": handler.queue,
        "runs in": handler.run_in,
        "tries": str(policy.attempts),
        "backoff": _backoff(policy.backoff, policy.attempts),
        "timeout": "none" if limit is None else describe(limit),
        "keeps": _keep(policy.keep_completed),
        "dead": _keep(policy.keep_failed),
    }


def _backoff(backoff: Backoff, attempts: int) -> str:
    """Return the shortest and the longest wait between two attempts, as chance may have it."""
    if backoff.kind not in BUILT_IN:
        return f"as {backoff.kind} says"
    if attempts < 2:
        return "none"
    certain = msgspec.structs.replace(backoff, jitter=0.0)
    first, last = (backoff_ms(certain, attempt, random.Random()) for attempt in (1, attempts - 1))
    shortest, longest = describe(round(first * (1 - backoff.jitter))), describe(last)
    return shortest if shortest == longest else f"{shortest} to {longest}"


def _keep(keep: Keep) -> str:
    if keep.count == 0:
        return "none"
    parts = [] if keep.age_ms is None else [describe(keep.age_ms)]
    if keep.count is not None and keep.count != USUAL_COUNT:
        parts.append(f"last {keep.count:,}")
    return ", ".join(parts) or "all"


def _object(
    app: Stoker | None, safe: str | None, handlers: Sequence[Handler], found: Sequence[Problem]
) -> dict[str, Any]:
    tasks = [
        {
            "name": handler.name,
            "queue": handler.queue,
            "run_in": handler.run_in,
            "concurrency": handler.concurrency,
            "origin": f"{handler.origin.module}:{handler.origin.qualname}",
            "policy": _in_full(handler.policy),
        }
        for handler in handlers
    ]
    url = None if app is None else str(app.url)
    return {"ok": not found, "broker": url, "durability": safe, "tasks": tasks, "problems": found}


def _in_full(settings: msgspec.Struct) -> dict[str, Any]:
    """Return settings with those that are as usual; the store leaves them out."""
    return {
        name: _in_full(value) if isinstance(value, msgspec.Struct) else value
        for name, value in msgspec.structs.asdict(settings).items()
    }


def _show(
    app: Stoker | None,
    safe: str | None,
    handlers: Sequence[Handler],
    found: Sequence[Problem],
    warnings: Sequence[str],
    advice: Sequence[str],
) -> None:
    from rich.text import Text

    from stoker.cli.tables import screen, table

    console = screen()
    if handlers:
        rows = [policy_row(handler) for handler in handlers]
        drawn = table(*rows[0])
        for column in drawn.columns:
            column.no_wrap, column.overflow = False, "fold"
        for row in rows:
            drawn.add_row(*map(Text, row.values()))
        console.print(drawn)
    if app is not None:
        console.print(f"\nbroker: {app.url.described}", soft_wrap=True)
    if safe is not None:
        console.print(f"  {safe}", soft_wrap=True)
    if warnings:
        console.print(f"\n{len(warnings)} warning{'s' * (len(warnings) > 1)}:", style="yellow")
        for warning in warnings:
            console.print(f"- {warning}", soft_wrap=True)
    for each in advice:
        console.print(f"\nadvice: {each}", soft_wrap=True)
    if not found:
        how = "It works; see the warnings." if warnings else "All is well."
        console.print(f"\n{how}", style="yellow" if warnings else "green")
        return
    console.print(f"\n{len(found)} problem{'s' * (len(found) > 1)}:", style="bold red")
    for each in found:
        console.print(f"- {each.where}: {each.problem}", soft_wrap=True)
        if each.hint:
            console.print(f"  hint: {each.hint}", soft_wrap=True)
