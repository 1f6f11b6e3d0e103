"""Waiting for what another process does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 20.0
LOOK_EVERY = 0.01


async def eventually(
    look: Callable[[], Awaitable[T | None]], what: str, seconds: float = PATIENCE
) -> T:
    """Look until there is something (other than ``None``, ``False``, empty), and return it."""
    deadline = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}; now: {seen!r}"
        await asyncio.sleep(LOOK_EVERY)
    return seen
