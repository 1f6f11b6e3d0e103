"""The tasks an application has, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from stoker.errors import ConfigError, UnknownTask
from stoker.handler import Handler
from stoker.job.payload import encode_any
from stoker.job.retry import Strategy

Encode = Callable[[Mapping[str, Any]], str]


class Registry:
    """Which handler runs a job: its queue's task of its name, else its queue's processor.

    Where a queue has neither, a task of another queue that has the name.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._by_queue: dict[str, Handler] = {}
        self._encode: dict[str, Encode] = {}
        self.backoffs: dict[str, Strategy] = {}
        """Backoff strategies of the application's own, by name."""

    def add(self, handler: Handler, encode: Encode) -> None:
        """Register a handler; raises ``ConfigError`` if its name, or its queue, is taken."""
        known = self._by_name.get(handler.name)
        if known is not None:
            raise ConfigError(
                f"two tasks are called {handler.name!r}: {_place(known)} and {_place(handler)}",
                hint="give one of them another name=",
            )
        if handler.hooks is not None:
            other = self._by_queue.get(handler.queue)
            if other is not None:
                raise ConfigError(
                    f"queue {handler.queue!r} has two processors: {_place(other)} and "
                    f"{_place(handler)}",
                    hint="one processor takes all jobs of its queue; use two queues",
                )
            self._by_queue[handler.queue] = handler
        self._by_name[handler.name] = handler
        self._encode[handler.name] = encode

    def find(self, queue: str, name: str) -> Handler | None:
        """Return the handler for a job, or ``None`` if this application has none."""
        named = self._by_name.get(name)
        if named is not None and named.queue == queue:
            return named
        # In BullMQ a name belongs to a queue: another queue's task is not who a processor is for.
        return self._by_queue.get(queue) or named

    def handlers(self) -> list[Handler]:
        """Return all handlers, in the order they were registered."""
        return list(self._by_name.values())

    def queues(self) -> list[str]:
        """Return the queues that tasks are registered on."""
        return list(dict.fromkeys(handler.queue for handler in self._by_name.values()))

    def advice(self, queues: Collection[str]) -> list[str]:
        """Return what had better be different about ``queues``, though they work as they are.

        Where only some tasks run in child processes, more jobs are claimed than there are children.
        """
        told: list[str] = []
        for queue in queues:
            own = [handler for handler in self._by_name.values() if handler.queue == queue]
            inside = [handler.name for handler in own if handler.run_in == "process"]
            if inside and len(inside) < len(own):
                better = "give them a queue of their own, @app.task(queue=…)"
                told.append(
                    f"in queue {queue}, tasks that run in child processes hold up the others: "
                    f"{better} (here: {', '.join(inside)})"
                )
        return told

    def encode(self, queue: str, name: str, data: Mapping[str, Any], limit: int) -> str:
        """Return the data of a job that is added by name as JSON text.

        A task that is registered here checks it. A name that is not is refused if this application
        has tasks in that queue, for then it would know it; else its code is elsewhere, and any
        JSON object will do. Raises ``InvalidPayload`` or ``UnknownTask``.
        """
        handler = self.find(queue, name)
        if handler is not None:
            return self._encode[handler.name](data)
        here = [known.name for known in self._by_name.values() if known.queue == queue]
        if here:
            close = difflib.get_close_matches(name, here, 1)
            raise UnknownTask(
                f"name={name!r}: there is no such task in queue {queue!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(here)}",
            )
        return encode_any(dict(data), f"{queue}.add({name!r})", limit=limit)


def _place(handler: Handler) -> str:
    return f"{handler.origin.module}.{handler.origin.qualname}"
