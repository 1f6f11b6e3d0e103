"""Commands that somebody wrote down, best evidence first: what is deployed, before what is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from stoker.sidecar.detect.spotting import sieve, spotting
from stoker.sidecar.project import Project

SOURCES = (
    "compose", "Procfile", "script", "Dockerfile", "Makefile", "supervisor", "shell", "docs",
    "source",
)  # fmt: skip
"""In the order of precedence: a command in one beats the same in a later one."""

_NAMES = (
    "celery", "dramatiq", "rqworker", "huey", "taskiq", "procrastinate", "sidekiq", "good_job",
    "bin/jobs", "jobs:work", "resque", "clockwork", "faktory", "worker", "consumer", "queue",
    "litestar", "stoker", "delayed_job", "periodiq", "go run",
)  # fmt: skip
_WHOLE = ("rq", "arq", "saq", "que")
_WORDS = spotting(*_NAMES, whole=_WHOLE)
_IN_A_FILE = sieve(*_NAMES, whole=_WHOLE)


def is_interesting(text: str) -> bool:
    """Tell if a line, or one of a text's, may be about workers."""
    return _WORDS.search(text.lower()) is not None


def may_interest(project: Project, path: str) -> bool:
    """Tell the same of a file that is not decoded yet."""
    return _IN_A_FILE.search(project.data(path).lower()) is not None


def interesting_among(lines: Iterable[str]) -> set[int]:
    """Return the places of the lines that may be about workers: one search goes through all."""
    text = "\n".join(lines).lower()
    found: set[int] = set()
    number = before = 0
    for each in _WORDS.finditer(text):
        number += text.count("\n", before, each.start())
        before = each.start()
        found.add(number)
    return found


_FOR_DESK = re.compile(r"(^|[-_:.])dev(elop(ment)?)?($|[-_:.])", re.IGNORECASE)
_CONTINUED = re.compile(r"\\\s*(?:[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\Z)")
"""A line's end with a backslash before it; most texts that have one have it somewhere else."""
_DEV = re.compile(r"(dev|local|test|override|ci|e2e|debug|staging|example)", re.IGNORECASE)


class Written(msgspec.Struct, frozen=True):
    """A place that says how something is started."""

    source: str
    path: str
    line: int
    lines: tuple[str, ...]
    """Shell lines, to be tried in this order: ``command``, then ``entrypoint command``."""
    dir: str = "."
    name: str = ""
    environment: dict[str, str] = {}
    dockerfile: str = ""
    pulled: bool = False
    """It is run in an image that is built elsewhere."""
    arguments: dict[str, str] = {}
    """What the Dockerfile's ``ARG`` are given."""
    ours: bool = False
    """Stoker wrote it, and a person changed it since."""

    @property
    def is_for_desk(self) -> bool:
        """Tell if a script is called one for development, as ``dev:worker`` is."""
        return self.source == "script" and _FOR_DESK.search(self.name) is not None

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Sort by source, then by how near to production the file is."""
        name = self.path.rpartition("/")[2]
        dev = 1 if _DEV.search(name) or "dev" in self.name.lower() else 0
        return SOURCES.index(self.source), dev, self.path.count("/"), self.path


def joined_lines(project: Project, path: str) -> list[tuple[int, str]]:
    """Return a file's lines with their numbers, continued ones put together."""
    if _CONTINUED.search(project.text(path)) is None:
        return list(enumerate(project.lines(path), 1))
    found: list[tuple[int, str]] = []
    start, parts = 0, list[str]()
    for number, line in enumerate(project.lines(path), 1):
        start = start if parts else number
        if line.rstrip().endswith("\\"):
            parts.append(line.rstrip()[:-1])
            continue
        found.append((start, " ".join([*parts, line.strip()]) if parts else line))
        parts = []
    if parts:
        found.append((start, " ".join(parts)))
    return found
