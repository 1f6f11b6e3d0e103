"""Telling a processor that its job failed."""

from __future__ import annotations

import asyncio
import logging
from inspect import isawaitable
from typing import Any

from stoker.context import JobContext
from stoker.failure import Failure
from stoker.handler import Handler

HOOK_SECONDS = 60.0
"""How long ``on_failed`` or ``on_dead`` may hold up its job's outcome."""

_log = logging.getLogger("stoker.worker")


async def call_hooks(
    handler: Handler, context: JobContext[Any], failure: Failure, *, failed: bool, dead: bool
) -> None:
    """Call what the handler has for this. A hook that fails is logged and changes nothing."""
    hooks = handler.hooks
    if hooks is None:
        return
    for hook in ((hooks.on_failed,) if failed else ()) + ((hooks.on_dead,) if dead else ()):
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                told = hook(context, failure)
                if isawaitable(told):
                    await told
        except BaseException:
            # SystemExit and a cancellation of its own too: the outcome must be settled.
            _log.exception("%s of %s failed", hook.__name__, handler.name)
