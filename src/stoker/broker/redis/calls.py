"""A call of a script: its queues as keys, and its arguments in the order it reads them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from stoker.broker.base import Clock, Select, Want, reasons_listed, system_clock
from stoker.job.states import State

CLAIMED_AT_ONCE = 250
"""Jobs that one call gives out, whatever is wanted."""


class Call:
    """Gathers what one call of a script is given.

    A clock that is not the system's cannot be the server's either: then leases and dedup keys end
    at an instant of that clock instead of after a span of the server's.
    """

    def __init__(self, prefix: str, clock: Clock) -> None:
        self._prefix = prefix
        self._places: dict[str, int] = {}
        self.now = clock()
        self._drawn = ""
        self.args: list[Any] = [self.now, "0" if clock is system_clock else "1"]

    @property
    def keys(self) -> list[str]:
        """The bases of the queues that were named."""
        return [f"{self._prefix}:{queue}:" for queue in self._places]

    @property
    def queues(self) -> list[str]:
        """The queues in the order of the keys."""
        return list(self._places)

    def place(self, queue: str) -> int:
        """Return a queue's place among the keys, where Lua counts from 1."""
        return self._places.setdefault(queue, len(self._places) + 1)

    def add(self, *args: Any) -> None:
        """Append arguments; what may be missing is ``None``."""
        self.args += ["" if arg is None else arg for arg in args]

    @property
    def token(self) -> str:
        """What the tokens of the leases begin with that a wanting call was given."""
        return f"{self._drawn}.{self.now}"

    def later(self, ahead_ms: int) -> None:
        """Have the time be read when the script runs, from a server's clock, so far ahead."""
        self.args[0] = f"@{ahead_ms}"

    def want(self, want: Want | None) -> None:
        """Append what a worker wants."""
        if want is None:
            self.args += [0, "", 0, "", 0]
            return
        self._drawn = secrets.token_hex(8)
        self.args += [min(want.count, CLAIMED_AT_ONCE), self._drawn, want.lease_ms, want.worker]
        self.args.append(len(want.queues))
        for queue, most in want.queues.items():
            self.args += [self.place(queue), most]

    def selection(self, select: Select, most: int, ids: Sequence[str] | None) -> None:
        """Append a selection: of these ids, or of a state."""
        cursor = select.after if ids is None else None
        self.add(
            select.state and State(select.state).value, select.name, select.text,
            _reasons(select), select.since, select.until, "1" if select.newest_first else "0", most,
            cursor, None if ids is None else len(ids), *(ids or ()),
        )  # fmt: skip


def _reasons(select: Select) -> str | None:
    """Return ``=|crashed|timeout|`` for these, ``!|cancelled|`` for all but this."""
    if select.reasons is None:
        return None
    listed, meant = reasons_listed(select.reasons)
    return f"{'=' if meant else '!'}|{'|'.join(listed)}|"
