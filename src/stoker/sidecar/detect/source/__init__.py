"""What the source itself says: where workers are made, and which program reaches them.

One module for each language. Each finds *sites* (``new Worker(``, ``Celery(``, …), follows the
imports to the programs that reach one, and tells a program that only works from one that also
serves: a worker in there is embedded and must not be doubled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detection import Embedded, Evidence, Language, Role

WORKERISH = re.compile(
    r"(worker|consume(?:rs?|d)?\b|jobs?\b|(?<!en)queues?\b|processors?\b|background|tasks?\b|sidekiq|faktory|bullmq|runner|daemon)",
    re.I,
)
DEDICATED = re.compile(
    r"worker|consumer|processors?\b|daemon|sidekiq|faktory|job[-_]?(runner|serv)|"
    r"background([-_]?(job|task)s?)?($|[./ ])",
    re.I,
)
"""How a program is called that serves, too, and is there for work all the same."""


class Site(msgspec.Struct, frozen=True):
    """A place where a worker is made."""

    framework: str
    path: str
    line: int
    text: str = ""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    role: Role = "worker"
    within: str = ""
    """The function or the class that makes it, where the language has it looked at."""

    @property
    def evidence(self) -> Evidence:
        """Return the place."""
        return Evidence(self.path, self.line, self.text, f"makes a {self.role}")


class Inferred(msgspec.Struct, frozen=True):
    """A process that nobody wrote down: how the source says it is started."""

    framework: str | None
    role: Role
    words: tuple[str, ...]
    dir: str
    language: Language
    evidence: tuple[Evidence, ...]
    app: str = ""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    confidence: float = 0.7
    alternatives: tuple[tuple[str, ...], ...] = ()
    name: str = ""
    """What tells it from others, where there are several."""


class Sources(msgspec.Struct):
    """What was seen in the source of one language."""

    inferred: list[Inferred] = msgspec.field(default_factory=list[Inferred])
    embedded: list[Embedded] = msgspec.field(default_factory=list[Embedded])


Program = Callable[[Start, str], Launch | None]
"""What a language knows of its own programs: ``node worker.js``, ``go run ./cmd/worker``."""


def merged_queues(sites: Sequence[Site]) -> tuple[str, ...]:
    """Return the queues of all sites, in their order."""
    return tuple(dict.fromkeys(queue for site in sites for queue in site.queues))


def merged_concurrency(sites: Sequence[Site]) -> int | None:
    """Return the concurrency of workers, if the sites have the same."""
    counts = {site.concurrency for site in sites if site.role == "worker"}
    return counts.pop() if len(counts) == 1 else None
