"""What the server's user may not do, found out before a script stops half way for want of it."""

from __future__ import annotations

import re
from functools import cache

from stoker.broker.redis.connection import Line
from stoker.broker.redis.faults import may_not
from stoker.broker.redis.scripts import script
from stoker.config import BrokerURL

_CALLED = re.compile(r"\b(?:call|pcall|scan)\(([^,)]*)")
_COMMAND = re.compile(r"'([A-Z]+)'")


@cache
def commands_of(name: str) -> frozenset[str]:
    """Return the commands that an operation's script may call."""
    called = _CALLED.findall(script(name).text)
    return frozenset(command for text in called for command in _COMMAND.findall(text))


async def check(line: Line, name: str, base: str, url: BrokerURL) -> None:
    """Raise ``ConfigError`` if the user may not run all that an operation's script calls.

    What a script has done before it is stopped stays done: a job that it has taken out of one list
    and may not put into the other would be lost. Servers before version 7 cannot be asked.
    """
    wanted = sorted(commands_of(name))
    missing = await line.command("EVAL", script("rights").text, 1, base, *wanted)
    if missing:
        raise may_not(url, f"run {', '.join(missing)}", " ".join(f"+{c.lower()}" for c in missing))
