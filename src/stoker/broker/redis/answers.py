"""Commands and their answers, cancelled or not."""

from __future__ import annotations

import asyncio
from typing import Any


async def answer(client: Any, *words: Any) -> Any:
    """Return what a server answers to a command.

    Python 3.11's ``wait_for``, by which the client sends, loses a cancellation that comes in the
    very turn in which the command has been sent. It is made up for here.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        return await client.execute_command(*words)
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
