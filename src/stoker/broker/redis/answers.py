"""Commands and their answers, cancelled or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.exceptions import ConnectionError as ConnectionLost

_pack: Callable[[tuple[Any, ...]], bytes] = cast(Any, hiredis).pack_command


def packed(words: Sequence[Any]) -> bytes:
    """Return a command as it is sent."""
    try:
        return _pack(tuple(words))
    except UnicodeEncodeError:  # what was no UTF-8 in the store goes back as it came
        return _pack(tuple(map(_as_it_came, words)))


def _as_it_came(word: Any) -> Any:
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


async def answer(client: Any, *words: Any) -> Any:
    """Return what a server answers to a command.

    Python 3.11's ``wait_for``, by which the client sends, loses a cancellation that comes in the
    very turn in which the command has been sent. It is made up for here.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        return await client.execute_command(*words)
    except AttributeError as error:
        raise ConnectionLost("Connection closed while a command was sent") from error
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
