"""``stoker enqueue``: adds one job, as the application itself would."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import click
import msgspec

from stoker.app import Stoker
from stoker.cli.options import json_option, span
from stoker.cli.records import write_json
from stoker.cli.target import Target, operate
from stoker.errors import InvalidPayload, JobError, JobFailed, UnknownTask
from stoker.handler import Handler
from stoker.job.payload import MAX_BYTES
from stoker.processor import Processor
from stoker.queue import Job
from stoker.task import Task

HINTS = {
    "expected str": "text that could be JSON needs its quotes: code='\"007\"'",
    "expected bool": "true or false",
}
"""What is expected → how it is typed in a shell."""


@click.command(
    epilog="Examples: stoker enqueue shop.jobs:app send_mail to=ada@example.com copies=3; "
    'stoker enqueue shop.jobs:app resize --data \'{"path": "cat.png"}\' --wait'
)
@click.argument("words", nargs=-1, required=True, metavar="[MODULE:APP] TASK [KEY=VALUE]...")
@click.option("--data", metavar="JSON", help="The arguments as one JSON object; - reads stdin.")
@click.option("--delay", type=span(), metavar="DURATION", help="Not before this long from now.")
@click.option("--priority", type=int, help="0, the default, is first; 2097151 last.")
@click.option("--id", help="An id of your own: adding it again adds nothing.")
@click.option("--queue", metavar="NAME", help="Another queue than the task's own.")
@click.option("--wait", is_flag=True, help="Wait for the result and show it.")
@click.option(
    "--timeout", type=span(), metavar="DURATION", help="How long to --wait.  [default: for ever]"
)
@click.option(
    "--app",
    envvar="STOKER_APP",
    show_envvar=True,
    metavar="MODULE:APP",
    help="The application, if it is not the first word.",
)
@click.option("--url", metavar="URL", help="Add without the code; needs --queue.")
@json_option
def enqueue(
    words: tuple[str, ...],
    data: str | None,
    delay: int | None,
    priority: int | None,
    id: str | None,
    queue: str | None,
    wait: bool,
    timeout: int | None,
    app: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Add a job.

    Each VALUE is taken as JSON if it is JSON (3, true, [1,2], "3"), else as text. Without the app
    as first word, --app or STOKER_APP says which it is.
    """
    reference, name, pairs = _read_words(words, needs_app=app is None and url is None)
    if reference is not None and url is not None:
        raise click.UsageError("Give either MODULE:APP or --url: an app knows its URL.")
    if timeout is not None and not wait:
        raise click.UsageError(
            "--timeout says how long to --wait; a job's own is its task's to say."
        )
    settings = {"delay": None if delay is None else delay / 1_000, "priority": priority, "id": id}
    settings = {key: value for key, value in settings.items() if value is not None}
    arguments = _data(pairs, data)

    async def add(app: Stoker) -> None:
        job = await _add(app, name, queue, arguments, settings)
        own = app.registry.queues()
        if own and job.queue not in own:
            click.echo(
                f"note: no task of this app belongs to queue {job.queue}: its workers take nothing "
                "from there",
                err=True,
            )
        if not (wait and as_json):
            _tell(job, as_json)
        if wait:
            with _told_without_result(job, as_json):
                _tell_result(job, await _result(app, job, timeout), as_json)

    operate(Target(reference or app, url).open(), add)


def _read_words(words: Sequence[str], *, needs_app: bool) -> tuple[str | None, str, dict[str, str]]:
    """Return the app, if it is among the words, the task's name and the arguments."""
    leading = next((at for at, word in enumerate(words) if "=" in word), len(words))
    names, pairs = words[:leading], _pairs(words[leading:])
    if not names:
        raise click.UsageError("Which task? stoker enqueue MODULE:APP TASK [KEY=VALUE]...")
    if len(names) > 2:
        raise click.UsageError(f"{names[2]!r} is not KEY=VALUE.")
    if len(names) == 2:
        return names[0], names[1], pairs
    [name] = names
    if not needs_app:
        return None, name, pairs
    if ":" in name or "." in name:
        raise click.UsageError(f"Which task of {name}? stoker enqueue {name} TASK")
    raise click.UsageError(
        f"Whose task is {name!r}? stoker enqueue MODULE:APP {name}, --app or STOKER_APP"
    )


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (equals and key):
            raise click.UsageError(f"{word!r} is not KEY=VALUE.")
        if key in pairs:
            raise click.UsageError(f"{key!r} is given twice.")
        pairs[key] = value
    return pairs


def _data(pairs: Mapping[str, str], data: str | None) -> dict[str, Any]:
    if data is None:
        return {key: _value(value) for key, value in pairs.items()}
    if pairs:
        raise click.UsageError("Give either KEY=VALUE or --data.")
    text = sys.stdin.read() if data == "-" else data
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise click.UsageError(
            f"--data is not JSON: {error}. A shell takes it in single quotes, keys and text in "
            'double ones: \'{"to": "ada@example.com"}\''
        ) from None
    if not isinstance(decoded, dict):
        raise click.UsageError('--data is no JSON object, such as {"to": "ada@example.com"}.')
    return cast("dict[str, Any]", decoded)


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


async def _add(
    app: Stoker, name: str, queue: str | None, data: dict[str, Any], settings: Any
) -> Job[Any]:
    handler = next((known for known in app.registry.handlers() if known.name == name), None)
    if handler is None:
        if queue is None:
            raise _unknown(app, name)
        return await app.queue(queue).add(name, data, **settings)
    if queue is not None and queue != handler.queue:
        return await app.queue(queue).add(name, data, **settings)
    return await _add_own(app, handler, data, settings)


async def _add_own(app: Stoker, handler: Handler, data: dict[str, Any], settings: Any) -> Job[Any]:
    """Add it through the task: with its own settings, and values of its types."""
    found = _found(handler)
    value = _decoded(app, handler, data)
    if isinstance(found, Task):
        task = cast("Task[..., Any, Any]", found)
        return (await task.options(**settings).enqueue_many([value]))[0]
    if isinstance(found, type) and issubclass(found, Processor):
        processor = cast("type[Processor[Any]]", found)
        return await processor.options(**settings).enqueue(value)
    return await app.queue(handler.queue).add(handler.name, data, **settings)


def _decoded(app: Stoker, handler: Handler, data: dict[str, Any]) -> Any:
    """Return JSON data as values of the task's types: text as a datetime, say."""
    try:
        return handler.decode(msgspec.json.encode(data).decode())
    except InvalidPayload:
        try:  # once more, to hear it in the words of somebody who enqueues
            app.registry.encode(handler.queue, handler.name, data, MAX_BYTES)
        except InvalidPayload as error:
            hint = next((hint for kind, hint in HINTS.items() if kind in error.message), None)
            raise InvalidPayload(error.message, path=error.path, hint=error.hint or hint) from None
        raise


def _found(handler: Handler) -> object:
    """Return the task or processor that a handler belongs to, if it is where its origin says."""
    found: Any = sys.modules.get(handler.origin.module)
    for part in handler.origin.qualname.split("."):
        found = getattr(found, part, None)
    return found if getattr(found, "handler", None) is handler else None


def _unknown(app: Stoker, name: str) -> UnknownTask:
    names = [handler.name for handler in app.registry.handlers()]
    close = difflib.get_close_matches(name, names, 1)
    if close:
        hint = f"did you mean {close[0]!r}?"
    elif names:
        hint = f"there is: {', '.join(names)}"
    else:
        hint = "say which queue it is in: --queue NAME"
    return UnknownTask(f"there is no task {name!r}", hint=hint)


async def _result(app: Stoker, job: Job[Any], timeout: int | None) -> Any:
    """Wait for the result as plain data, whatever type the task makes of it."""
    plain = app.queue(job.queue).job(job.id)
    return await plain.wait(None if timeout is None else timeout / 1_000)


def _tell(job: Job[Any], as_json: bool) -> None:
    if as_json:
        write_json(_object(job))
    elif job.duplicate:
        click.echo(f"job {job.id} of {job.queue} was there already; nothing was added")
    else:
        click.echo(f"added job {job.id} to {job.queue}")


def _tell_result(job: Job[Any], result: Any, as_json: bool) -> None:
    if as_json:
        write_json(_object(job) | {"result": result})
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))


@contextmanager
def _told_without_result(job: Job[Any], as_json: bool) -> Generator[None]:
    """A machine learns of the job, and of its failure, also where there is no result."""
    try:
        yield
    except JobFailed as error:
        if as_json:
            write_json(_object(job) | {"failure": error.failure})
        raise
    except JobError:
        if as_json:
            write_json(_object(job))
        raise


def _object(job: Job[Any]) -> dict[str, Any]:
    return {"queue": job.queue, "id": job.id, "duplicate": job.duplicate}
