"""What a process may be started by: a way that was written down, or inferred of the source."""

from __future__ import annotations

import msgspec

from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.written import SOURCES
from stoker.sidecar.detection import Evidence, Language, Role

Words = tuple[str, ...]


class Candidate(msgspec.Struct, frozen=True):
    """One way to start one process."""

    framework: str | None
    role: Role
    words: Words
    dir: str
    rank: tuple[int, int, int, str]
    evidence: tuple[Evidence, ...]
    app: str = ""
    """What tells it from others of its framework: the app, the entry file, the config."""
    origin: str = ""
    """Where the object is made that the app names, if a text tells of it."""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    name: str = ""
    language: Language | None = None
    environment: dict[str, str] = {}
    dev: bool = False
    unwatched: bool = False
    """It is one for the desk, without what starts it anew."""
    lost: bool = False
    """Its app is nowhere in the project: it was moved, or renamed."""
    confidence: float = 1.0
    alternatives: tuple[Words, ...] = ()
    runner: Words = ()
    """What it was written with that only starts it: ``uv run``."""
    ours: bool = False
    """Stoker wrote it, and a person changed it since: of no other one it says anything."""

    @property
    def source(self) -> str:
        """Return the kind of evidence."""
        return SOURCES[self.rank[0]]


def inferred(each: Inferred) -> Candidate:
    """Return what the source says as a candidate: the last of all evidence."""
    rank = (SOURCES.index("source"), 0, 0, each.evidence[0].path if each.evidence else "")
    return Candidate(
        framework=each.framework, role=each.role, words=each.words, dir=each.dir, rank=rank,
        evidence=each.evidence, app=each.app, queues=each.queues, concurrency=each.concurrency,
        language=each.language, confidence=each.confidence, alternatives=each.alternatives,
        name=each.name,
    )  # fmt: skip
